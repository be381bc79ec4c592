import type { GraphWeight } from "./graph-builder.ts";
import type { ElementType, TensorBytes } from "./onnx-model.ts";

/** Name of the file that holds the weights, in the folder of the graphs that use it. */
export const WEIGHTS_FILE = "weights.bin";

/** Tensors start at multiples of this, so that vector loads never straddle cache lines. */
const ALIGNMENT = 64;

const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

/** Where each weight lies in the weights file; the same for every graph of one model and dtype. */
export interface WeightsPlan {
  /** Size of the file in bytes. */
  readonly size: number;
  place(weight: Pick<GraphWeight, "name">): TensorBytes;
  /** The weights in file order with their offsets. */
  readonly entries: readonly {
    readonly weight: GraphWeight;
    readonly offset: number;
    readonly length: number;
  }[];
}

/** Lays out the weights that do not lie inside the model, one behind the other. */
export function planWeights(weights: readonly GraphWeight[]): WeightsPlan {
  let size = 0;
  // By name, so that the order does not depend on what else a graph contains.
  const entries = weights
    .filter(({ isInside }) => !isInside)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((weight) => {
      const offset = Math.ceil(size / ALIGNMENT) * ALIGNMENT;
      const length = bytesOf(weight);
      size = offset + length;
      return { weight, offset, length };
    });
  const byName = new Map(entries.map((entry) => [entry.weight.name, entry]));
  return {
    size,
    entries,
    place: ({ name }) => {
      const { offset, length } = byName.get(name)!;
      return { location: WEIGHTS_FILE, offset, length };
    },
  };
}

/**
 * Reads the weights one after the other and hands each to `write` with its offset.
 *
 * @throws `Error` when a source delivers another number of bytes than its shape says: a fault of this package.
 */
export async function writeWeights(
  plan: WeightsPlan,
  write: (bytes: Uint8Array, offset: number) => Promise<void> | void,
): Promise<void> {
  for (const { weight, offset } of plan.entries) await write(await readWeight(weight), offset);
}

/** @throws as {@link writeWeights} does */
export async function readWeight(weight: GraphWeight): Promise<Uint8Array> {
  const bytes = await weight.read();
  const length = bytesOf(weight);
  if (bytes.length === length) return bytes;
  throw new Error(
    `weight ${weight.name} has ${bytes.length} bytes, its shape [${weight.shape}] needs ${length}`,
  );
}

function bytesOf({ shape, type }: GraphWeight): number {
  return shape.reduce((product, n) => product * n, 1) * ELEMENT_BYTES[type];
}
