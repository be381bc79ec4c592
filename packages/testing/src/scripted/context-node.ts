import type { LayerSet, TokenId } from "@foretoken/core";

/** What a row feeds, besides what it sees. */
export interface RowContent {
  /** The token, or `undefined` for an injected embedding. */
  readonly token: TokenId | undefined;
  readonly embedding: Float32Array | undefined;
  /** Bit `l` is set when layer `l` runs. */
  readonly layers: number;
  readonly integers: Readonly<Record<string, number>> | undefined;
  readonly vectors: Readonly<Record<string, Float32Array>> | undefined;
}

/**
 * One row together with everything it sees: a node in the tree of all contexts a scripted model has met.
 *
 * The tree is a cache. Rows that saw the same tokens through the same layers share a node, so that a law is computed once
 * for each context however many draws pass through it. Rows with embeddings, integers or vectors are never shared.
 */
export class ContextNode {
  readonly parent: ContextNode | undefined;
  readonly content: RowContent;
  /** Rows it sees, itself included. */
  readonly length: number;
  /** Bit `l` is set when layer `l` ran for it and for every row it sees. */
  readonly available: number;
  /** Whether it is a probe, or sees one. */
  readonly seesProbe: boolean;
  /** A number that depends on every token and layer set it sees, in order. */
  readonly hash: number;
  /** The same of the skipped layers only: 0 while nothing was skipped. */
  readonly skipHash: number;
  /** Filled by the script that first reads the row. */
  logits: Float32Array | undefined;
  /** Of `logits` when they were made, to notice a reader that writes to them; NaN when one of them is. */
  checksum = 0;
  readonly #children = new Map<number, ContextNode>();

  constructor(parent: ContextNode | undefined, content: RowContent, allLayers: number) {
    this.parent = parent;
    this.content = content;
    this.length = (parent?.length ?? -1) + 1;
    this.available = (parent?.available ?? allLayers) & content.layers;
    this.seesProbe = content.embedding !== undefined || (parent?.seesProbe ?? false);
    const fed = content.embedding === undefined ? (content.token ?? 0) + 1 : hashOf(content.embedding);
    this.hash = mix(parent?.hash ?? 0, fed);
    const skipped = allLayers & ~content.layers;
    const above = parent?.skipHash ?? 0;
    this.skipHash = above === 0 && skipped === 0 ? 0 : mix(mix(above, fed), skipped);
  }

  /** The node behind this one for a row with `content`. */
  child(content: RowContent, allLayers: number, vocabularySize: number): ContextNode {
    if ((content.embedding ?? content.integers ?? content.vectors) !== undefined) {
      return new ContextNode(this, content, allLayers);
    }
    const key = content.token! + vocabularySize * (allLayers & ~content.layers);
    let node = this.#children.get(key);
    if (node === undefined) {
      node = new ContextNode(this, content, allLayers);
      this.#children.set(key, node);
    }
    return node;
  }

  /** Forgets the nodes behind this one; rows that hold them keep working. */
  forget(): void {
    this.#children.clear();
  }

  /** Tokens it sees, its own last; probes are left out. */
  tokens(): TokenId[] {
    const tokens: TokenId[] = [];
    for (const node of this.#upwards()) if (node.content.token !== undefined) tokens.push(node.content.token);
    return tokens.reverse();
  }

  /** Embeddings of the probes it sees, its own last. */
  embeddings(): Float32Array[] {
    const embeddings: Float32Array[] = [];
    for (const node of this.#upwards()) {
      if (node.content.embedding !== undefined) embeddings.push(node.content.embedding);
    }
    return embeddings.reverse();
  }

  *#upwards(): Generator<ContextNode> {
    for (let node: ContextNode = this; node.parent !== undefined; node = node.parent) yield node;
  }
}

/** Layer flags as bits. */
export function layerBits(layers: LayerSet): number {
  return layers.reduce((bits, runs, layer) => (runs ? bits | (1 << layer) : bits), 0);
}

/** Stirs `value` into `hash`; both are 32-bit integers, and so is the result. Never 0. */
export function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(value + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0 || 1;
}

function hashOf(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  return bits.reduce((hash, word) => mix(hash, word), 1);
}
