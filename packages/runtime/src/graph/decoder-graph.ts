import type { HiddenSite } from "@foretoken/core";
import type { ModelConfig } from "../weights/model-weights.ts";
import { type AttentionContext, type AttentionKind, type LayerCache, writeAttention } from "./attention.ts";
import type { DecoderWeights, Vector } from "./decoder-weights.ts";
import { extensionInputs, flagOf, writeExtensionInputs } from "./extension-inputs.ts";
import { GraphBuilder, type Value } from "./graph-builder.ts";
import type { GraphExtension } from "./graph-extension.ts";
import { writeLinear } from "./linear.ts";
import { ELEMENT_TYPES, type FloatType } from "./onnx-model.ts";
import { PORTS } from "./ports.ts";
import { REDUCED_COLUMNS, writeReductions } from "./reductions.ts";
import { rotaryTables } from "./rotary.ts";

/** What a decoder graph contains beyond the model itself. */
export interface DecoderFeatures {
  /** Hidden states that come out. */
  readonly hidden: readonly HiddenSite[];
  /** Whether layers have gates. */
  readonly gates: boolean;
  readonly extensions: readonly GraphExtension[];
  /** Width of the largest top-k to reduce logits to; 0 for none. */
  readonly topK: number;
  readonly attention: AttentionKind;
  /** Whether logits are reduced in the graph: where reading them whole is expensive. */
  readonly reduces: boolean;
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
  readonly #float: FloatType;

  constructor(config: ModelConfig, weights: DecoderWeights, features: DecoderFeatures) {
    this.#config = config;
    this.#weights = weights;
    this.#features = features;
    this.#float = weights.arithmetic.floatType;
    this.#writeInputs();
    const { cos, sin } = rotaryTables(config, config.contextLength, weights.ropeFactors);
    const shape = [config.contextLength, config.headSize / 2];
    this.#attention = {
      config,
      cos: this.#internal(this.graph.constant("rotary_cos", "float32", shape, cos)),
      sin: this.#internal(this.graph.constant("rotary_sin", "float32", shape, sin)),
      bias: this.#internal(PORTS.bias),
      kind: features.attention,
      norm: (graph, input, scale) => this.#plainNorm(graph, input, scale),
    };
    let stream: Stream = this.#site({ residual: this.#firstResidual() }, 0);
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
    const isFused = this.#features.attention === "fused";
    graph.input(PORTS.bias, "float32", isFused ? [1, 1, "T", "S"] : [1, "T_group", "S"]);
    if (isFused) for (const name of [PORTS.lastSlot, PORTS.extent]) graph.input(name, "int32", [1]);
    graph.input(PORTS.logitRows, "int64", ["R"]);
    writeExtensionInputs(graph, extensionInputs(this.#features.extensions));
    if (this.#weights.inputProjection) graph.input(PORTS.features, "float32", [1, "T", width]);
    for (let layer = 0; layer < layers; layer++) {
      const shape = isFused ? [1, keyValueHeads, "capacity", headSize] : ["cached", keyValueHeads, headSize];
      graph.input(PORTS.key(layer), this.#float, shape);
      graph.input(PORTS.value(layer), this.#float, shape);
    }
  }

  /** The embeddings, joined with the features where the model is a draft head. */
  #firstResidual(): Value {
    const embeddings = this.#internal(PORTS.embeddings);
    const { inputProjection } = this.#weights;
    if (!inputProjection) return embeddings;
    const joined = [embeddings, this.#internal(PORTS.features)];
    const inputs = this.graph.node("Concat", joined, { attributes: { axis: -1n } });
    return writeLinear(this.graph, inputProjection, inputs);
  }

  /** A float32 value in the type of the activations. */
  #internal(value: Value): Value {
    return this.#cast(value, "float32", this.#float);
  }

  /** A value of the activations as float32. */
  #external(value: Value): Value {
    return this.#cast(value, this.#float, "float32");
  }

  #cast(value: Value, from: FloatType, to: FloatType): Value {
    if (from === to) return value;
    return this.graph.node("Cast", [value], { attributes: { to: BigInt(ELEMENT_TYPES[to]) } });
  }

  /** Hidden outputs and extensions that sit behind `layers` layers. */
  #site(stream: Stream, layers: number): Stream {
    const isHere = ({ site }: GraphExtension) => typeof site === "object" && site.after === layers;
    const extensions = this.#features.extensions.filter(isHere);
    const isRead = this.#features.hidden.includes(layers);
    if (extensions.length === 0 && !isRead) return stream;
    let residual = this.#sum(this.graph, stream);
    residual = this.#extended(extensions, residual);
    if (isRead) this.#hidden(residual, layers);
    return { residual };
  }

  #hidden(value: Value, site: HiddenSite): void {
    this.graph.output(this.#external(value), PORTS.hidden(site), "float32", [1, "T", this.#config.width]);
  }

  /** Extensions compute in float32 whatever the activations are. */
  #extended(extensions: readonly GraphExtension[], before: Value): Value {
    let stream = before;
    for (const extension of extensions) {
      const input = this.#external(stream);
      const build = () =>
        extension.isOnDemand ? this.#onDemand(extension, input) : extension.build(this.graph, input);
      stream = this.#internal(this.graph.withWeightsInside(build));
    }
    return stream;
  }

  /** Writes an extension that runs when its flag is set. */
  #onDemand(extension: GraphExtension, stream: Value): Value {
    const { graph } = this;
    const shape = [1, "T", this.#config.width];
    const running = graph.subgraph();
    running.output(extension.build(running, stream), `${extension.name}.changed`, "float32", shape);
    const passing = graph.subgraph();
    passing.output(stream, `${extension.name}.unchanged`, "float32", shape);
    return graph.node("If", [flagOf(extension)], {
      attributes: { then_branch: running.body(), else_branch: passing.body() },
    });
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
    const names =
      this.#features.attention === "fused"
        ? ([PORTS.presentKey(layer), PORTS.presentValue(layer)] as const)
        : ([PORTS.newKey(layer), PORTS.newValue(layer)] as const);
    for (const name of names) this.graph.namedOutput(name, this.#float, this.#newRowsShape);
    return names;
  }

  get #newRowsShape(): readonly (number | string)[] {
    const { keyValueHeads, headSize } = this.#config;
    return this.#features.attention === "fused"
      ? [1, keyValueHeads, "capacity", headSize]
      : [1, "T", keyValueHeads * headSize];
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
    open.output(after, `open.${layer}`, this.#float, [1, "T", width]);
    for (const name of opened) open.namedOutput(name, this.#float, this.#newRowsShape);
    const closed = graph.subgraph();
    closed.output(residual, `closed.${layer}`, this.#float, [1, "T", width]);
    const skipped = this.#skippedRows(closed, layer);
    for (const [i, name] of [newKey, newValue].entries()) {
      closed.output(skipped[i], `closed.${name}`, this.#float, this.#newRowsShape);
    }
    const gate = graph.input(PORTS.run(layer), "bool", []);
    const [next] = graph.nodes("If", [gate], [`layers.${layer}.after`, newKey, newValue], {
      attributes: { then_branch: open.body(), else_branch: closed.body() },
    });
    return { residual: next };
  }

  /** What a closed layer leaves in the cache: rows of zeros, or for fused attention the buffers as they are. */
  #skippedRows(graph: GraphBuilder, layer: number): readonly [key: Value, value: Value] {
    if (this.#features.attention === "fused") return [PORTS.key(layer), PORTS.value(layer)];
    const keyWidth = this.#config.keyValueHeads * this.#config.headSize;
    const zeros = graph.constant("zero_row", "float32", [1, 1, keyWidth], new Float32Array(keyWidth));
    const shape = graph.node("Concat", [graph.node("Shape", [PORTS.positions]), graph.integers([1])], {
      attributes: { axis: 0n },
    });
    return [graph.node("Expand", [zeros, shape]), graph.node("Expand", [zeros, shape])];
  }

  #head(before: Stream): void {
    const { graph } = this;
    const at = (site: GraphExtension["site"]) => this.#features.extensions.filter((e) => e.site === site);
    const beforeNorm = at("head");
    const stream =
      beforeNorm.length === 0 ? before : { residual: this.#extended(beforeNorm, this.#sum(graph, before)) };
    const [normed] = this.#norm(graph, stream, this.#weights.finalNorm);
    if (this.#features.hidden.includes("final")) this.#hidden(normed, "final");
    const headInputs = this.#extended(at("logits"), normed);
    const rows = graph.node("Gather", [headInputs, PORTS.logitRows], { attributes: { axis: 1n } });
    const { outputs } = this.#weights.head.layout;
    const logits = this.#external(writeLinear(graph, this.#weights.head, rows));
    graph.output(logits, PORTS.logits, "float32", [1, "R", outputs]);
    if (!this.#features.reduces) return;
    const { topK } = this.#features;
    // A draft head has fewer rows than its target has tokens.
    const vocabularySize = Math.min(this.#config.vocabularySize, outputs);
    const known = this.#withoutPadding(logits, outputs, vocabularySize);
    const reduced = writeReductions(graph, known, { vocabularySize, topK });
    graph.output(reduced.columns, PORTS.reductions, "float32", [1, "R", REDUCED_COLUMNS + topK]);
    if (reduced.topIds) graph.output(reduced.topIds, PORTS.topIds, "int64", [1, "R", topK]);
  }

  /** Logits of the ids that exist; some models pad the head. */
  #withoutPadding(logits: Value, outputs: number, vocabularySize: number): Value {
    if (outputs === vocabularySize) return logits;
    const bounds = [0, vocabularySize, -1].map((value) => this.graph.integers([value]));
    return this.graph.node("Slice", [logits, ...bounds]);
  }
}

function writeVector(graph: GraphBuilder, { name, type, length, read }: Vector): Value {
  return graph.weight(name, type, [length], read);
}
