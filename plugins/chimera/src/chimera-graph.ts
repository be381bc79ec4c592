import type { RowInput } from "@foretoken/core";
import type { GraphBuilder, GraphExtension, Value } from "@foretoken/runtime";
import { type ChimeraHead, type ChimeraShape, ROLES } from "./chimera-head.ts";

/** What rows of the network carry. */
const STEP = "chimera.step";
const CONTEXT = "chimera.context";
const OLDEST = "chimera.oldest";
const MIDDLE = "chimera.middle";
const LAST = "chimera.last";

/**
 * A row that others see: a state takes the place of its token's embedding.
 *
 * @param state - The target's where it has one, the network's own behind drafts, `[D]`; zeros when left out.
 */
export function contextRow(token: number, parent: RowInput["parent"], state?: Float32Array): RowInput {
  return { token, parent, ...(state && { vectors: { [CONTEXT]: state } }) };
}

/** What a query row is made of besides its own token. */
export interface QueryInputs {
  /** `1 … K`: which head guesses behind it. */
  readonly step: number;
  /** Embeddings of the two tokens before its own on its path, `[D]` each. */
  readonly oldest: Float32Array;
  readonly middle: Float32Array;
  /** The target's state in front of the root, `[D]`. */
  readonly last: Float32Array;
}

/** A row that guesses what follows its token; nothing hangs under it. */
export function queryRow(token: number, parent: RowInput["parent"], inputs: QueryInputs): RowInput {
  const { step, oldest, middle, last } = inputs;
  return {
    token,
    parent,
    integers: { [STEP]: step },
    vectors: { [OLDEST]: oldest, [MIDDLE]: middle, [LAST]: last },
  };
}

/**
 * What makes a decoder of one layer Chimera's network: the trigram encoder in front of the layer, the step heads behind the final norm.
 * A query row computes `outer(SiLU(inner [E(a); E(b); E(c)]))`, then `A_k h + B_k F`, which the target's head rows turn into logits.
 */
export function chimeraExtensions(head: ChimeraHead): readonly GraphExtension[] {
  const { shape } = head.manifest;
  const { width } = shape;
  const name = (part: string) => `chimera.${head.contentHash}.${part}`;
  return [
    {
      name: name("encoder"),
      site: { after: 0 },
      rowIntegers: [STEP],
      rowVectors: { [CONTEXT]: width, [OLDEST]: width, [MIDDLE]: width },
      build: (graph, embeddings) => {
        const weights = new HeadWeights(graph, head);
        const trigram = graph.node("Concat", [OLDEST, MIDDLE, embeddings], { attributes: { axis: -1n } });
        const inner = graph.node("Add", [
          weights.product(trigram, ROLES.trigramInner, [width, 3 * width]),
          weights.floats(ROLES.trigramInnerBias, [width]),
        ]);
        const activated = graph.node("Mul", [inner, graph.node("Sigmoid", [inner])]);
        const encoded = graph.node("Add", [
          weights.product(activated, ROLES.trigramOuter, [width, width]),
          weights.floats(ROLES.trigramOuterBias, [width]),
        ]);
        const flags = Float32Array.from({ length: shape.steps + 1 }, (_, step) => (step === 0 ? 0 : 1));
        const flag = graph.node("Gather", [
          graph.constant(`chimera.flags.${shape.steps}`, "float32", [shape.steps + 1, 1], flags),
          STEP,
        ]);
        const half = graph.constant("chimera.half", "float32", [], Float32Array.of(0.5));
        return graph.node("Where", [graph.node("Greater", [flag, half]), encoded, CONTEXT]);
      },
    },
    {
      name: name("heads"),
      site: "logits",
      rowIntegers: [STEP],
      rowVectors: { [LAST]: width },
      build: (graph, states) => {
        const weights = new HeadWeights(graph, head);
        return graph.node("Add", [
          stepHead(graph, weights, shape, ROLES.residual, LAST),
          stepHead(graph, weights, shape, ROLES.state, states),
        ]);
      },
    },
  ];
}

/**
 * Each row through the head of its step. The low-rank parts of all steps are one product, of which a row keeps its own step's part.
 *
 * What depends on the step is looked up, because WebGPU does no arithmetic with integers; row 0 is for context rows, which have none.
 *
 * @param rows - `[1, T, D]`.
 */
function stepHead(
  graph: GraphBuilder,
  weights: HeadWeights,
  { width, steps, rank }: ChimeraShape,
  { diagonal, inner, outer }: (typeof ROLES)["residual" | "state"],
  rows: Value,
): Value {
  const own = graph.node("Gather", [weights.behindZeros(diagonal, [steps, width]), STEP]);
  const masks = graph.constant(
    `chimera.masks.${steps}.${rank}`,
    "float32",
    [1 + steps, steps * rank],
    ownPart(steps, rank),
  );
  const ranks = weights.product(rows, inner, [steps * rank, width]);
  const kept = graph.node("Mul", [ranks, graph.node("Gather", [masks, STEP])]);
  return graph.node("Add", [
    graph.node("Mul", [own, rows]),
    weights.product(kept, outer, [width, steps * rank]),
  ]);
}

/** `[1 + K, K r]`: row `k` is 1 where the ranks of step `k` stand, from 1. */
function ownPart(steps: number, rank: number): Float32Array {
  const masks = new Float32Array((1 + steps) * steps * rank);
  for (let step = 1; step <= steps; step++) {
    const first = (step * steps + step - 1) * rank;
    masks.fill(1, first, first + rank);
  }
  return masks;
}

/** The network's tensors as weights of a graph, under names that no other network has. */
class HeadWeights {
  readonly #graph: GraphBuilder;
  readonly #head: ChimeraHead;

  constructor(graph: GraphBuilder, head: ChimeraHead) {
    this.#graph = graph;
    this.#head = head;
  }

  floats(role: string, shape: readonly number[]): Value {
    return this.#weight(role, shape, () => this.#head.floats(role));
  }

  /** A matrix `[rows, columns]` with a row of zeros in front. */
  behindZeros(role: string, [rows, columns]: readonly [rows: number, columns: number]): Value {
    return this.#weight(role, [1 + rows, columns], () => {
      const padded = new Float32Array((1 + rows) * columns);
      padded.set(this.#head.floats(role), columns);
      return padded;
    });
  }

  /** `rows` `[1, T, inputs]` times a matrix `[outputs, inputs]`. */
  product(rows: Value, role: string, [outputs, inputs]: readonly [outputs: number, inputs: number]): Value {
    const read = () => transposed(this.#head.floats(role), outputs, inputs);
    return this.#graph.node("MatMul", [rows, this.#weight(role, [inputs, outputs], read)]);
  }

  #weight(role: string, shape: readonly number[], read: () => Float32Array): Value {
    return this.#graph.weight(`chimera.${this.#head.contentHash}.${role}`, "float32", shape, () => {
      return new Uint8Array(read().buffer);
    });
  }
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = matrix[row * columns + column]!;
    }
  }
  return turned;
}
