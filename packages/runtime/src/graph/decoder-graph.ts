import type { HiddenSite } from "@foretoken/core";
import type { ModelConfig } from "../weights/model-weights.ts";
import { type AttentionContext, type LayerCache, writeAttention } from "./attention.ts";
import type { DecoderWeights, Vector } from "./decoder-weights.ts";
import { GraphBuilder, type Value } from "./graph-builder.ts";
import type { GraphExtension } from "./graph-extension.ts";
import { writeLinear } from "./linear.ts";
import { PORTS } from "./ports.ts";
import { rotaryTables } from "./rotary.ts";

/** What a decoder graph contains beyond the model itself. */
export interface DecoderFeatures {
  /** Hidden states that come out. */
  readonly hidden: readonly HiddenSite[];
  /** Whether layers have gates. */
  readonly gates: boolean;
  readonly extensions: readonly GraphExtension[];
  /** Whether the outputs with the new rows lie in the cache that is read; else the graph appends them itself. */
  readonly writesCacheInPlace: boolean;
}

/** The residual stream; `delta` is still to be added, so that the next norm can do it in the same node. */
interface Stream {
  readonly residual: Value;
  readonly delta?: Value;
}

/**
 * Writes the decoder of the llama family (llama, qwen2, qwen3): norm, attention, norm, gated feed-forward.
 * Its inputs and outputs are {@link PORTS}.
 */
export function writeDecoder(
  config: ModelConfig,
  weights: DecoderWeights,
  features: DecoderFeatures,
): GraphBuilder {
  return new DecoderWriter(config, weights, features).graph;
}

class DecoderWriter {
  readonly graph = new GraphBuilder();
  readonly #config: ModelConfig;
  readonly #weights: DecoderWeights;
  readonly #features: DecoderFeatures;
  readonly #attention: AttentionContext;

  constructor(config: ModelConfig, weights: DecoderWeights, features: DecoderFeatures) {
    this.#config = config;
    this.#weights = weights;
    this.#features = features;
    const { cos, sin } = rotaryTables(config, config.contextLength, weights.ropeFactors);
    const shape = [config.contextLength, config.headSize / 2];
    this.#attention = {
      config,
      cos: this.graph.constant("rotary_cos", "float32", shape, cos),
      sin: this.graph.constant("rotary_sin", "float32", shape, sin),
      writesCacheInPlace: features.writesCacheInPlace,
      norm: (graph, input, scale) => this.#plainNorm(graph, input, scale),
    };
    this.#writeInputs();
    let stream: Stream = this.#site({ residual: PORTS.embeddings }, 0);
    for (let layer = 0; layer < config.layers; layer++) {
      stream = features.gates ? this.#gatedLayer(stream, layer) : this.#outermostLayer(stream, layer);
      stream = this.#site(stream, layer + 1);
    }
    this.#head(stream);
  }

  #writeInputs(): void {
    const { graph } = this;
    const { width, layers, keyValueHeads, headSize } = this.#config;
    graph.input(PORTS.embeddings, "float32", [1, "T", width]);
    graph.input(PORTS.positions, "int64", [1, "T"]);
    graph.input(PORTS.bias, "float32", [1, "T_group", "S"]);
    graph.input(PORTS.logitRows, "int64", ["R"]);
    for (const name of this.#features.extensions.flatMap((extension) => extension.rowIntegers ?? [])) {
      graph.input(name, "int64", [1, "T"]);
    }
    for (let layer = 0; layer < layers; layer++) {
      graph.input(PORTS.key(layer), "float32", ["cached", keyValueHeads, headSize]);
      graph.input(PORTS.value(layer), "float32", ["cached", keyValueHeads, headSize]);
    }
  }

  /** Hidden outputs and extensions that sit behind `layers` layers. */
  #site(stream: Stream, layers: number): Stream {
    const extensions = this.#features.extensions.filter((e) => e.site !== "head" && e.site.after === layers);
    const isRead = this.#features.hidden.includes(layers);
    if (extensions.length === 0 && !isRead) return stream;
    let residual = this.#sum(this.graph, stream);
    for (const extension of extensions) residual = extension.build(this.graph, residual);
    if (isRead) this.#hidden(residual, layers);
    return { residual };
  }

  #hidden(value: Value, site: HiddenSite): void {
    this.graph.output(value, PORTS.hidden(site), "float32", [1, "T", this.#config.width]);
  }

  #sum(graph: GraphBuilder, { residual, delta }: Stream): Value {
    return delta ? graph.node("Add", [residual, delta]) : residual;
  }

  /** Root-mean-square norm of the stream; also the stream with nothing left to add. */
  #norm(graph: GraphBuilder, stream: Stream, scale: Vector): [normed: Value, stream: Stream] {
    if (!stream.delta) return [this.#plainNorm(graph, stream.residual, scale), stream];
    const names = [`${scale.name}.normed`, "", "", `${scale.name}.residual`];
    const inputs = [stream.residual, stream.delta, writeVector(graph, scale)];
    const [normed, , , residual] = graph.nodes("SkipSimplifiedLayerNormalization", inputs, names, {
      domain: "com.microsoft",
      attributes: { epsilon: this.#config.normEpsilon },
    });
    return [normed, { residual }];
  }

  #plainNorm(graph: GraphBuilder, input: Value, scale: Vector): Value {
    const attributes = { epsilon: this.#config.normEpsilon, axis: -1n, stash_type: 1n };
    return graph.node("SimplifiedLayerNormalization", [input, writeVector(graph, scale)], { attributes });
  }

  #outermostLayer(stream: Stream, layer: number): Stream {
    const [newKey, newValue] = this.#outputNewRows(layer);
    return this.#layer(this.graph, stream, layer, newKey, newValue);
  }

  /** Declares what the cache takes from a layer. */
  #outputNewRows(layer: number): readonly [newKey: Value, newValue: Value] {
    const shape = this.#newRowsShape;
    this.graph.namedOutput(PORTS.newKey(layer), "float32", shape);
    this.graph.namedOutput(PORTS.newValue(layer), "float32", shape);
    return [PORTS.newKey(layer), PORTS.newValue(layer)];
  }

  get #newRowsShape(): readonly (number | string)[] {
    return [1, "T", this.#config.keyValueHeads * this.#config.headSize];
  }

  #layer(graph: GraphBuilder, before: Stream, layer: number, newKey: Value, newValue: Value): Stream {
    const weights = this.#weights.layers[layer];
    const [attentionInput, stream] = this.#norm(graph, before, weights.attentionNorm);
    const cache: LayerCache = { key: PORTS.key(layer), value: PORTS.value(layer), newKey, newValue };
    const attended = writeAttention(graph, this.#attention, weights, cache, attentionInput);
    const delta = writeLinear(graph, weights.attentionOutput, attended);
    const [feedForwardInput, { residual }] = this.#norm(graph, { ...stream, delta }, weights.feedForwardNorm);
    const [gate, up] = graph.nodes("Split", [writeLinear(graph, weights.gateUp, feedForwardInput)], 2, {
      attributes: { axis: -1n, num_outputs: 2n },
    });
    const activated = graph.node("QuickGelu", [gate], { domain: "com.microsoft", attributes: { alpha: 1 } });
    return { residual, delta: writeLinear(graph, weights.down, graph.node("Mul", [activated, up])) };
  }

  /** A layer that runs only when its gate is open; closed, the stream passes through, and its new rows are zero. */
  #gatedLayer(stream: Stream, layer: number): Stream {
    const { graph } = this;
    const { width } = this.#config;
    const [newKey, newValue] = this.#outputNewRows(layer);
    const residual = this.#sum(graph, stream);
    const open = graph.subgraph();
    const opened = [`open.${newKey}`, `open.${newValue}`] as const;
    const after = this.#sum(open, this.#layer(open, { residual }, layer, ...opened));
    open.output(after, `open.${layer}`, "float32", [1, "T", width]);
    for (const name of opened) open.namedOutput(name, "float32", this.#newRowsShape);
    const closed = graph.subgraph();
    closed.output(residual, `closed.${layer}`, "float32", [1, "T", width]);
    const keyWidth = this.#config.keyValueHeads * this.#config.headSize;
    const zeros = graph.constant("zero_row", "float32", [1, 1, keyWidth], new Float32Array(keyWidth));
    const shape = closed.node("Concat", [closed.node("Shape", [PORTS.positions]), graph.integers([1])], {
      attributes: { axis: 0n },
    });
    for (const name of [newKey, newValue]) {
      closed.output(closed.node("Expand", [zeros, shape]), `closed.${name}`, "float32", this.#newRowsShape);
    }
    const gate = graph.input(PORTS.run(layer), "bool", []);
    const [next] = graph.nodes("If", [gate], [`layers.${layer}.after`, newKey, newValue], {
      attributes: { then_branch: open.body(), else_branch: closed.body() },
    });
    return { residual: next };
  }

  #head(before: Stream): void {
    const { graph } = this;
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
