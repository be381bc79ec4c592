import { DecodingError, type LayerSet } from "@foretoken/core";
import { ContextNode, layerBits, type RowContent } from "./context-node.ts";
import { Counters } from "./inspection.ts";
import type { ScriptReader } from "./script.ts";
import { SlotPool } from "./slot-pool.ts";

/** Contexts kept before the cache of laws starts again. */
const MOST_CONTEXTS = 100_000;

/** What all sessions of one scripted model share: the pool, the script with its cache of laws, and the counters. */
export class ScriptedMachine {
  readonly vocabularySize: number;
  readonly layers: number;
  readonly width: number;
  readonly allLayers: number;
  readonly pool: SlotPool;
  readonly counters: Counters;
  /** Whether passes are logged. */
  readonly isRecording: boolean;
  /** What every text starts from: sees nothing. */
  readonly start: ContextNode;
  readonly #reader: ScriptReader;
  #contexts = 0;

  constructor(
    reader: ScriptReader,
    shape: {
      readonly vocabularySize: number;
      readonly layers: number;
      readonly width: number;
      readonly poolRows: number;
    },
    record = false,
  ) {
    this.isRecording = record;
    this.#reader = reader;
    this.vocabularySize = shape.vocabularySize;
    this.layers = shape.layers;
    this.width = shape.width;
    this.allLayers = 2 ** shape.layers - 1;
    this.pool = new SlotPool(shape.poolRows);
    this.counters = new Counters(this.pool);
    const nothing: RowContent = {
      token: undefined,
      embedding: undefined,
      layers: this.allLayers,
      integers: undefined,
      vectors: undefined,
    };
    this.start = new ContextNode(undefined, nothing, this.allLayers);
  }

  /** The layers of a pass as bits. @throws `SHAPE_MISMATCH` unless there is one flag for each layer. */
  bits(layers: LayerSet | undefined): number {
    if (layers === undefined) return this.allLayers;
    if (layers.length !== this.layers) {
      throw new DecodingError("SHAPE_MISMATCH", {
        message: `The layer set has ${layers.length} flags, but the model has ${this.layers} layers.`,
        fix: "Pass one flag for each layer.",
      });
    }
    return layerBits(layers);
  }

  /** The layers that the row in a slot ran, `undefined` for all. */
  layersOf(slot: number): LayerSet | undefined {
    const { layers } = this.pool.node(slot).content;
    if (layers === this.allLayers) return undefined;
    return Array.from({ length: this.layers }, (_, layer) => (layers >> layer) % 2 === 1);
  }

  /** The context of a row behind `parent`. */
  context(parent: ContextNode, content: RowContent): ContextNode {
    return parent.child(content, this.allLayers, this.vocabularySize);
  }

  /** Logits `[V]` of a context, computed once; its checksum is NaN when one of them is. */
  logits(node: ContextNode): Float32Array {
    if (node.logits === undefined) {
      if (++this.#contexts > MOST_CONTEXTS) {
        this.start.forget();
        this.#contexts = 0;
      }
      node.logits = this.#reader.ofRow(node);
      node.checksum = checksum(node.logits);
    } else if (!Object.is(checksum(node.logits), node.checksum)) {
      throw new DecodingError("INVALID_LOGITS", {
        message: `Someone wrote to the logits behind tokens ${node.tokens().join(" ")}.`,
        fix: "A pass gives out views: copy a row before changing it.",
      });
    }
    return node.logits;
  }
}

/** Order-dependent and blind to no value but NaN; `-Infinity` counts as a large number. */
function checksum(values: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    sum = sum * 1.0000001 + (value === Number.NEGATIVE_INFINITY ? -1e12 : value);
  }
  return sum;
}
