import type {
  ElementType,
  GraphAttribute,
  GraphConstant,
  GraphNode,
  GraphValue,
  OnnxGraph,
} from "./onnx-model.ts";

/** The name of a tensor inside a graph under construction. */
export type Value = string;

/** Options of {@link GraphBuilder.node}. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, GraphAttribute>>;
  /** `com.microsoft` for ONNX Runtime's own operators; default the standard ones. */
  readonly domain?: "com.microsoft";
}

/** The bytes of a weight, produced when the weights file is written. */
export type WeightSource = () => Promise<Uint8Array> | Uint8Array;

/** A large constant: it lies in the weights file, or inside the model. */
export interface GraphWeight {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly read: WeightSource;
  /** Whether it lies inside the model. */
  readonly isInside: boolean;
}

/** What one graph and its subgraphs share: names, and the weights, which only the outermost graph may hold. */
interface Shared {
  nextName: number;
  /** Whether new weights go into the model. */
  placesInside: boolean;
  readonly weights: Map<string, GraphWeight>;
  readonly constants: Map<string, GraphConstant>;
}

/** Collects nodes in the order in which they run; {@link Value}s connect them. */
export class GraphBuilder {
  readonly #nodes: GraphNode[] = [];
  readonly #inputs: GraphValue[] = [];
  readonly #outputs: GraphValue[] = [];
  readonly #shared: Shared;

  constructor(
    shared: Shared = { nextName: 0, placesInside: false, weights: new Map(), constants: new Map() },
  ) {
    this.#shared = shared;
  }

  /** All weights of this graph and its subgraphs. */
  get weights(): readonly GraphWeight[] {
    return [...this.#shared.weights.values()];
  }

  /** Declares an input fed at every run. */
  input(name: string, type: ElementType, shape: GraphValue["shape"]): Value {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** Makes `value` an output called `name`; the value itself is renamed where a node of this graph makes it. */
  output(value: Value, name: string, type: ElementType, shape: GraphValue["shape"]): void {
    this.#nodes.push({ operator: "Identity", domain: "", inputs: [value], outputs: [name], attributes: {} });
    this.#outputs.push({ name, type, shape });
  }

  /** Declares an output that a node already writes under its own name. */
  namedOutput(name: string, type: ElementType, shape: GraphValue["shape"]): void {
    this.#outputs.push({ name, type, shape });
  }

  /** A node with one output. */
  node(operator: string, inputs: readonly Value[], options: NodeOptions = {}): Value {
    return this.nodes(operator, inputs, 1, options)[0];
  }

  /**
   * A node with `outputs` outputs, or with outputs of the given names (an empty name leaves out an optional one).
   */
  nodes(
    operator: string,
    inputs: readonly Value[],
    outputs: number | readonly string[],
    { attributes = {}, domain }: NodeOptions = {},
  ): Value[] {
    const names =
      typeof outputs === "number"
        ? Array.from({ length: outputs }, () => this.#name(operator))
        : [...outputs];
    this.#nodes.push({ operator, domain: domain ?? "", inputs, outputs: names, attributes });
    return names;
  }

  /** A small constant inside the model; equal names are one constant. */
  constant(name: string, type: ElementType, shape: readonly number[], data: ArrayBufferView): Value {
    if (!this.#shared.constants.has(name)) {
      const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.#shared.constants.set(name, { name, type, shape, bytes: { raw } });
    }
    return name;
  }

  /** Integers as a constant vector; a single number becomes a scalar. */
  integers(values: number | readonly number[]): Value {
    const list = typeof values === "number" ? [values] : values;
    const shape = typeof values === "number" ? [] : [list.length];
    const name = `integers_${typeof values === "number" ? "scalar_" : ""}${list.join("_")}`;
    return this.constant(name, "int64", shape, BigInt64Array.from(list.map(BigInt)));
  }

  /** A large constant; equal names are one weight. */
  weight(name: string, type: ElementType, shape: readonly number[], read: WeightSource): Value {
    const { weights, placesInside: isInside } = this.#shared;
    if (!weights.has(name)) weights.set(name, { name, type, shape, read, isInside });
    return name;
  }

  /** Adds nodes whose weights lie inside the model: the weights file holds the same for every graph of a model. */
  withWeightsInside<Result>(write: () => Result): Result {
    this.#shared.placesInside = true;
    try {
      return write();
    } finally {
      this.#shared.placesInside = false;
    }
  }

  /** A graph for an attribute of `If`; it may read every value of this one. */
  subgraph(): GraphBuilder {
    return new GraphBuilder(this.#shared);
  }

  /** This graph without constants, as an attribute; the outermost graph holds those of all. */
  body(): OnnxGraph {
    return { nodes: this.#nodes, inputs: this.#inputs, outputs: this.#outputs, constants: [] };
  }

  /** The whole graph; `place` says where the bytes of each weight lie. */
  build(place: (weight: GraphWeight) => GraphConstant["bytes"]): OnnxGraph {
    const weights = this.weights.map((weight) => {
      const { name, type, shape } = weight;
      return { name, type, shape, bytes: place(weight) };
    });
    return { ...this.body(), constants: [...this.#shared.constants.values(), ...weights] };
  }

  #name(operator: string): Value {
    return `${operator}_${this.#shared.nextName++}`;
  }
}
