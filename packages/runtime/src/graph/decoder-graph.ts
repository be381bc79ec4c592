import type { HiddenSite } from "@foretoken/core";
import type { ModelConfig } from "../weights/model-weights.ts";
import type { DecoderWeights, Vector } from "./decoder-weights.ts";
import { GraphBuilder, type Value } from "./graph-builder.ts";
import type { GraphExtension } from "./graph-extension.ts";
import { writeLinear } from "./linear.ts";
import { rotaryTables } from "./rotary.ts";

/** What a decoder graph contains beyond the model itself. */
export interface DecoderFeatures {
  /** Hidden states that come out, `hidden.<site>` `[1, T, D]`. */
  readonly hidden: readonly HiddenSite[];
  /** Whether layers have gates, scalar inputs `run.<layer>`. */
  readonly gates: boolean;
  readonly extensions: readonly GraphExtension[];
  /** Whether `next_key` and `next_value` are the whole cache, written in place, or only the rows of the pass. */
  readonly writesCacheInPlace: boolean;
}

/** Names of the inputs and outputs of a decoder graph. */
export const PORTS = {
  /** Input embeddings, float32 `[1, T, D]`. */
  embeddings: "embeddings",
  /** Positions in the text, int64 `[1, T]`. */
  positions: "positions",
  /** Added to attention scores, float32 `[1, 1, T, S]`: 0 where a row may look, a large negative number elsewhere. */
  bias: "bias",
  /** `S - 1`, int32 `[1]`; the rows of this pass are written to slots `S - T … S - 1`. */
  lastSlot: "last_slot",
  /** `S`, int32 `[1]`. */
  slots: "slots",
  /** Slots of the rows of the pass, int64 `[T]`; only where the cache is not written in place. */
  newSlots: "new_slots",
  /** Rows whose logits are computed, int64 `[R]`, `R >= 0`. */
  logitRows: "logit_rows",
  /** Float32 `[1, R, V]`. */
  logits: "logits",
  /** Keys before the pass, float32 `[1, kvHeads, capacity, headSize]`. */
  key: (layer: number) => `key.${layer}`,
  value: (layer: number) => `value.${layer}`,
  /** Keys after the pass: the whole buffer again, or `[1, kvHeads, T, headSize]`. */
  nextKey: (layer: number) => `next_key.${layer}`,
  nextValue: (layer: number) => `next_value.${layer}`,
  hidden: (site: HiddenSite) => `hidden.${site}`,
  run: (layer: number) => `run.${layer}`,
} as const;

/** The residual stream; `delta` is still to be added, so that the next norm can do it in the same node. */
interface Stream {
  readonly residual: Value;
  readonly delta?: Value;
}

/**
 * Writes the decoder of the llama family (llama, qwen2, qwen3): norm, attention, norm, gated feed-forward.
 *
 * Attention is ONNX Runtime's GroupQueryAttention. It writes the keys and values of the rows at the end of the
 * used slots and lets a row see lower slots only; the bias says which of them.
 */
export class DecoderGraph {
  readonly builder = new GraphBuilder();
  readonly #config: ModelConfig;
  readonly #weights: DecoderWeights;
  readonly #features: DecoderFeatures;
  readonly #cos: Value;
  readonly #sin: Value;

  /** @param slots - Most slots the pool may ever have; the operator wants as many rotary angles. */
  constructor(config: ModelConfig, weights: DecoderWeights, features: DecoderFeatures, slots: number) {
    this.#config = config;
    this.#weights = weights;
    this.#features = features;
    const rows = Math.max(slots, config.contextLength);
    const { cos, sin } = rotaryTables(config, rows, weights.ropeFactors);
    const shape = [rows, config.headSize / 2];
    this.#cos = this.builder.constant("rotary_cos", "float32", shape, cos);
    this.#sin = this.builder.constant("rotary_sin", "float32", shape, sin);
    this.#write();
  }

  #write(): void {
    const graph = this.builder;
    const { width, layers, keyValueHeads, headSize } = this.#config;
    let stream: Stream = { residual: graph.input(PORTS.embeddings, "float32", [1, "T", width]) };
    graph.input(PORTS.positions, "int64", [1, "T"]);
    graph.input(PORTS.bias, "float32", [1, 1, "T", "S"]);
    graph.input(PORTS.lastSlot, "int32", [1]);
    graph.input(PORTS.slots, "int32", [1]);
    graph.input(PORTS.logitRows, "int64", ["R"]);
    for (const name of this.#features.extensions.flatMap((extension) => extension.rowIntegers ?? [])) {
      graph.input(name, "int64", [1, "T"]);
    }
    if (!this.#features.writesCacheInPlace) graph.input(PORTS.newSlots, "int64", ["T"]);
    const cache = [1, keyValueHeads, "capacity", headSize] as const;
    stream = this.#site(stream, 0);
    for (let layer = 0; layer < layers; layer++) {
      graph.input(PORTS.key(layer), "float32", cache);
      graph.input(PORTS.value(layer), "float32", cache);
      const next = this.#nextCache(layer);
      stream = this.#features.gates
        ? this.#gatedLayer(stream, layer, next)
        : this.#layer(graph, stream, layer, next);
      this.#outputCache(layer, next);
      stream = this.#site(stream, layer + 1);
    }
    this.#head(stream);
  }

  /** Names under which attention writes keys and values. */
  #nextCache(layer: number): readonly [key: Value, value: Value] {
    const names = [PORTS.nextKey(layer), PORTS.nextValue(layer)] as const;
    return this.#features.writesCacheInPlace ? names : [`whole.${names[0]}`, `whole.${names[1]}`];
  }

  #outputCache(layer: number, whole: readonly Value[]): void {
    const { keyValueHeads, headSize } = this.#config;
    [PORTS.nextKey(layer), PORTS.nextValue(layer)].forEach((name, i) => {
      let rows = "capacity";
      if (!this.#features.writesCacheInPlace) {
        this.builder.nodes("Gather", [whole[i], PORTS.newSlots], [name], { attributes: { axis: 2n } });
        rows = "T";
      }
      this.builder.namedOutput(name, "float32", [1, keyValueHeads, rows, headSize]);
    });
  }

  /** Hidden outputs and extensions that sit behind `layers` layers. */
  #site(stream: Stream, layers: number): Stream {
    const extensions = this.#features.extensions.filter((e) => e.site !== "head" && e.site.after === layers);
    const isRead = this.#features.hidden.includes(layers);
    if (extensions.length === 0 && !isRead) return stream;
    let residual = this.#sum(this.builder, stream);
    for (const extension of extensions) residual = extension.build(this.builder, residual);
    if (isRead) this.#hidden(residual, layers);
    return { residual };
  }

  #hidden(value: Value, site: HiddenSite): void {
    this.builder.output(value, PORTS.hidden(site), "float32", [1, "T", this.#config.width]);
  }

  #sum(graph: GraphBuilder, { residual, delta }: Stream): Value {
    return delta ? graph.node("Add", [residual, delta]) : residual;
  }

  /** Root-mean-square norm of the stream; also the stream with nothing left to add. */
  #norm(graph: GraphBuilder, stream: Stream, scale: Vector): [normed: Value, stream: Stream] {
    const epsilon = this.#config.normEpsilon;
    const weight = writeVector(graph, scale);
    if (!stream.delta) {
      return [this.#plainNorm(graph, stream.residual, weight), stream];
    }
    const [normed, , , residual] = graph.nodes(
      "SkipSimplifiedLayerNormalization",
      [stream.residual, stream.delta, weight],
      [`${scale.name}.normed`, "", "", `${scale.name}.residual`],
      { domain: "com.microsoft", attributes: { epsilon } },
    );
    return [normed, { residual }];
  }

  #plainNorm(graph: GraphBuilder, input: Value, weight: Value): Value {
    const attributes = { epsilon: this.#config.normEpsilon, axis: -1n, stash_type: 1n };
    return graph.node("SimplifiedLayerNormalization", [input, weight], { attributes });
  }

  #layer(graph: GraphBuilder, before: Stream, layer: number, next: readonly Value[]): Stream {
    const weights = this.#weights.layers[layer];
    const [attentionInput, stream] = this.#norm(graph, before, weights.attentionNorm);
    const attended = this.#attention(graph, attentionInput, layer, next);
    const [feedForwardInput, { residual }] = this.#norm(
      graph,
      { ...stream, delta: writeLinear(graph, weights.attentionOutput, attended) },
      weights.feedForwardNorm,
    );
    const [gate, up] = graph.nodes("Split", [writeLinear(graph, weights.gateUp, feedForwardInput)], 2, {
      attributes: { axis: -1n, num_outputs: 2n },
    });
    const activated = graph.node("QuickGelu", [gate], { domain: "com.microsoft", attributes: { alpha: 1 } });
    return { residual, delta: writeLinear(graph, weights.down, graph.node("Mul", [activated, up])) };
  }

  /**
   * Attention over the rows of the cache and those of the pass.
   *
   * Queries that share a key head are rows of one matrix `[kvHeads, T · group, headSize]`, so that keys are never repeated.
   */
  #attention(graph: GraphBuilder, input: Value, layer: number, next: readonly Value[]): Value {
    const { heads, keyValueHeads, headSize } = this.#config;
    const group = heads / keyValueHeads;
    const [query, keys, values] = this.#keysAndValues(graph, input, layer, next);
    const grouped = graph.node(
      "Reshape",
      [
        graph.node(
          "Transpose",
          [graph.node("Reshape", [query, graph.integers([-1, keyValueHeads, group, headSize])])],
          { attributes: { perm: [1n, 0n, 2n, 3n] } },
        ),
        graph.integers([keyValueHeads, -1, headSize]),
      ],
    );
    const scores = graph.node("FusedMatMul", [grouped, keys], {
      domain: "com.microsoft",
      attributes: { transB: 1n, transBatchB: 1n, alpha: headSize ** -0.5 },
    });
    const shares = graph.node("Softmax", [graph.node("Add", [scores, PORTS.bias])], { attributes: { axis: -1n } });
    const attended = graph.node("FusedMatMul", [shares, values], {
      domain: "com.microsoft",
      attributes: { transBatchB: 1n },
    });
    const byRow = graph.node(
      "Transpose",
      [graph.node("Reshape", [attended, graph.integers([keyValueHeads, -1, group, headSize])])],
      { attributes: { perm: [1n, 0n, 2n, 3n] } },
    );
    return graph.node("Reshape", [byRow, graph.integers([1, -1, heads * headSize])]);
  }

  /**
   * Queries of the pass, and keys and values that include those of the pass.
   *
   * Where the new rows are written into the cache in place, the split that makes the queries makes the keys too, and
   * the split before it the values: whatever reads queries runs after both are in the cache.
   */
  #keysAndValues(
    graph: GraphBuilder,
    input: Value,
    layer: number,
    next: readonly Value[],
  ): readonly [query: Value, keys: Value, values: Value] {
    const { heads, keyValueHeads, headSize } = this.#config;
    const weights = this.#weights.layers[layer];
    const queryWidth = heads * headSize;
    const keyWidth = keyValueHeads * headSize;
    const packed = writeLinear(graph, weights.queryKeyValue, input);
    const split = { attributes: { axis: -1n } };
    const value = `${next[1]}.rows`;
    let queryKey: Value;
    if (weights.queryNorm && weights.keyNorm) {
      const sizes = graph.integers([queryWidth, keyWidth, keyWidth]);
      const [query, key] = graph.nodes("Split", [packed, sizes], ["", "", value], split);
      void query; void key;
      queryKey = "";
    } else {
      queryKey = graph.nodes("Split", [packed, graph.integers([queryWidth + keyWidth, keyWidth])], [`${next[1]}.qk`, value], split)[0];
    }
    const rotated = graph.node("RotaryEmbedding", [queryKey, PORTS.positions, this.#cos, this.#sin], { domain: "com.microsoft" });
    void rotated;
    return ["", "", ""];
  }

  /** Norm of each head by itself, `[1, T, heads · headSize]`. */
  #headNorm(graph: GraphBuilder, input: Value, scale: Vector): Value {
    const weight = writeVector(graph, scale);
    const split = graph.node("Reshape", [input, graph.integers([0, 0, -1, this.#config.headSize])]);
    return graph.node("Reshape", [this.#plainNorm(graph, split, weight), graph.integers([0, 0, -1])]);
  }

  /** A layer that runs only when its gate is open; closed, stream and cache pass through untouched. */
  #gatedLayer(stream: Stream, layer: number, next: readonly Value[]): Stream {
    const graph = this.builder;
    const { width, keyValueHeads, headSize } = this.#config;
    const residual = this.#sum(graph, stream);
    const cache = [1, keyValueHeads, "capacity", headSize];
    const open = graph.subgraph();
    const written = next.map((name) => `open.${name}`);
    open.output(
      this.#sum(open, this.#layer(open, { residual }, layer, written)),
      `layers.${layer}.open`,
      "float32",
      [1, "T", width],
    );
    for (const name of written) open.namedOutput(name, "float32", cache);
    const closed = graph.subgraph();
    closed.output(residual, `layers.${layer}.closed`, "float32", [1, "T", width]);
    closed.output(PORTS.key(layer), `closed.${next[0]}`, "float32", cache);
    closed.output(PORTS.value(layer), `closed.${next[1]}`, "float32", cache);
    const gate = graph.input(PORTS.run(layer), "bool", []);
    const [after] = graph.nodes("If", [gate], [`layers.${layer}.after`, ...next], {
      attributes: { then_branch: open.body(), else_branch: closed.body() },
    });
    return { residual: after };
  }

  #head(before: Stream): void {
    const graph = this.builder;
    let stream = before;
    for (const extension of this.#features.extensions.filter((e) => e.site === "head")) {
      stream = { residual: extension.build(graph, this.#sum(graph, stream)) };
    }
    const [normed] = this.#norm(graph, stream, this.#weights.finalNorm);
    if (this.#features.hidden.includes("final")) this.#hidden(normed, "final");
    const rows = graph.node("Gather", [normed, PORTS.logitRows], { attributes: { axis: 1n } });
    const logits = writeLinear(graph, this.#weights.head, rows);
    graph.output(logits, PORTS.logits, "float32", [1, "R", this.#weights.head.layout.outputs]);
  }
}

function writeVector(graph: GraphBuilder, { name, length, read }: Vector): Value {
  return graph.weight(name, "float32", [length], read);
}
