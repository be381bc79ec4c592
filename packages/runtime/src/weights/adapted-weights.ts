import { DecodingError } from "@foretoken/core";
import { readFloats } from "./dequantize.ts";
import type { ModelWeights, StoredTensor, WeightRole } from "./model-weights.ts";
import { Sha256 } from "./sha256.ts";

/** A change of one matrix: `up · down` is added to it. */
export interface LowRankDelta {
  /** `[outputs, rank]`, row-major, with the factor it was trained with; rows of `query` and `key` in half-split order. */
  readonly up: Float32Array;
  /** `[rank, inputs]`, row-major. */
  readonly down: Float32Array;
  readonly rank: number;
}

/** What training changed of a model's matrices. */
export interface WeightDeltas {
  /** What messages call them. */
  readonly id: string;
  /** SHA-256 of their file, hex. */
  readonly contentHash: string;
  /** SHA-256 of the weights that they were trained on, hex. */
  readonly base: string;
  /** Roles of the matrices that change. */
  readonly roles: readonly string[];
  delta(role: string): LowRankDelta | undefined;
}

/**
 * Weights with low-rank deltas added, as if they had been trained so: another model, with a hash of its own. Changed matrices are
 * float32 from then on, whatever the file stores. Reads nothing yet; disposes `weights` with itself.
 *
 * @throws `DecodingError` `CHECKSUM_MISMATCH` for deltas of other weights, `SHAPE_MISMATCH` for matrices that are not there.
 */
export function adaptedWeights(weights: ModelWeights, deltas: WeightDeltas): ModelWeights {
  if (deltas.base !== weights.contentHash) {
    throw new DecodingError("CHECKSUM_MISMATCH", {
      message:
        `The deltas ${deltas.id} were trained on weights with the SHA-256 ${deltas.base}, ` +
        `but the model's is ${weights.contentHash}.`,
      fix: "Load the file that they were trained on, or other deltas.",
    });
  }
  const changed = new Map<string, StoredTensor>();
  for (const role of deltas.roles) {
    changed.set(role, withDelta(weights.tensor(role as WeightRole), deltas, role));
  }
  const hash = new Sha256();
  hash.update(new TextEncoder().encode(`${weights.contentHash} ${deltas.contentHash}`));
  return {
    config: weights.config,
    contentHash: hash.hex(),
    metadata: weights.metadata,
    tensor: (role) => changed.get(role) ?? weights.tensor(role),
    dispose: () => weights.dispose(),
  };
}

function withDelta(matrix: StoredTensor | undefined, deltas: WeightDeltas, role: string): StoredTensor {
  const { up, down, rank } = deltas.delta(role)!;
  const [outputs, inputs] = matrix?.shape ?? [];
  if (matrix?.shape.length !== 2 || up.length !== outputs * rank || down.length !== rank * inputs) {
    throw new DecodingError("SHAPE_MISMATCH", {
      message:
        `The deltas ${deltas.id} change ${role} by ${up.length} times ${down.length} values of rank ${rank}, ` +
        `but the model has ${matrix ? `[${matrix.shape}]` : "no such matrix"}.`,
      fix: "Use deltas that were trained for this model.",
    });
  }
  return {
    role: matrix.role,
    shape: matrix.shape,
    type: "F32",
    async read() {
      const values = await readFloats(matrix);
      for (let output = 0; output < outputs; output++) {
        for (let k = 0; k < rank; k++) {
          const weight = up[output * rank + k];
          for (let input = 0; input < inputs; input++) {
            values[output * inputs + input] += weight * down[k * inputs + input];
          }
        }
      }
      return new Uint8Array(values.buffer);
    },
  };
}
