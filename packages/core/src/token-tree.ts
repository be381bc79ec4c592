import { DecodingError } from "./errors.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/**
 * One attempt at the token behind a node: verifiers try a node's trials in order.
 *
 * `proposal` is the law this very trial was drawn from, given the trials before it (for siblings drawn without
 * replacement: the draft's law without the tokens drawn earlier), or `"point"` when it was chosen, not drawn.
 */
export interface Trial {
  readonly token: TokenId;
  /** The node that carries the token. Several trials may share one. */
  readonly child: number;
  readonly proposal: TokenLaw | "point";
  /** The drafter that made it. */
  readonly source: string;
}

/** A token at one place of a tree. */
export interface TreeNode {
  readonly token: TokenId;
  /** Index of the parent, always smaller than the node's own; -1 for the root. */
  readonly parent: number;
  /** 0 for the root. */
  readonly depth: number;
  /** What was tried behind this node, in the order verifiers must try it. */
  readonly trials: readonly Trial[];
  /** Drafters that proposed this node; empty for the root. */
  readonly sources: readonly string[];
  /** The drafter's own estimate of the chance that all of the path down to here becomes text, where it has one. */
  readonly chance?: number;
}

interface MutableNode extends TreeNode {
  readonly trials: Trial[];
  readonly sources: string[];
}

/**
 * Drafts that share prefixes. Node 0 is the root: the decided token that is not fed yet. Row `i` of the verifying pass
 * is node `i`.
 *
 * ```
 *   0 "the" ─┬─ 1 "cat" ─── 3 "sat"
 *            └─ 2 "dog"
 * ```
 */
export class TokenTree {
  readonly #nodes: MutableNode[];

  constructor(root: TokenId) {
    this.#nodes = [{ token: root, parent: -1, depth: 0, trials: [], sources: [] }];
  }

  /** All nodes, parents before children. */
  get nodes(): readonly TreeNode[] {
    return this.#nodes;
  }

  /** Draft nodes, the root not counted. */
  get size(): number {
    return this.#nodes.length - 1;
  }

  /** The child of `node` with this token, or `undefined`. */
  child(node: number, token: TokenId): number | undefined {
    return this.#nodes[node]?.trials.find((trial) => trial.token === token)?.child;
  }

  /**
   * Appends a trial behind `parent`, and a node for it unless a sibling carries the same token.
   *
   * @param chance - See {@link TreeNode.chance}.
   * @returns The index of the node that carries the token.
   * @throws `INVALID_DRAFT` when `parent` is no node.
   */
  add(parent: number, token: TokenId, proposal: TokenLaw | "point", source: string, chance?: number): number {
    const above = this.#nodes[parent];
    if (above === undefined) {
      throw new DecodingError("INVALID_DRAFT", {
        message: `${source} added token ${token} behind node ${parent}, but the tree has nodes 0 to ${this.size}.`,
        fix: "Add parents before their children and use the index that add() returned.",
      });
    }
    let child = this.child(parent, token);
    if (child === undefined) {
      child = this.#nodes.length;
      this.#nodes.push({ token, parent, depth: above.depth + 1, trials: [], sources: [], chance });
    }
    const node = this.#nodes[child]!;
    if (!node.sources.includes(source)) node.sources.push(source);
    above.trials.push({ token, child, proposal, source });
    return child;
  }

  /** Credits `source` with a node that other trials already carry. */
  credit(node: number, source: string): void {
    const sources = this.#nodes[node]!.sources;
    if (!sources.includes(source)) sources.push(source);
  }

  /** The tree of the first `count` draft nodes; only for chosen ones, since dropping drawn ones changes what is left to draw. */
  first(count: number): TokenTree {
    if (count >= this.size) return this;
    const tree = new TokenTree(this.#nodes[0]!.token);
    for (const { token, parent, sources, chance } of this.#nodes.slice(1, count + 1)) {
      const node = tree.add(parent, token, "point", sources[0]!, chance);
      for (const source of sources.slice(1)) tree.credit(node, source);
    }
    return tree;
  }

  /** Tokens from the root's first child down to `node`, the root not included. */
  path(node: number): TokenId[] {
    const tokens: TokenId[] = [];
    for (let at = node; at > 0; at = this.#nodes[at]!.parent) tokens.push(this.#nodes[at]!.token);
    return tokens.reverse();
  }

  /** A tree with one chain of chosen tokens behind the root, each with its {@link TreeNode.chance}. */
  static chain(
    root: TokenId,
    tokens: readonly TokenId[],
    source: string,
    chances: readonly number[] = [],
  ): TokenTree {
    const tree = new TokenTree(root);
    let parent = 0;
    for (const [index, token] of tokens.entries())
      parent = tree.add(parent, token, "point", source, chances[index]);
    return tree;
  }
}
