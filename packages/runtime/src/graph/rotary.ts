import type { ModelConfig } from "../weights/model-weights.ts";

/** Cosine and sine of every rotary angle, `[positions, headSize / 2]` row-major each. */
export interface RotaryTables {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * The rotary angles `position / (factor_i · theta^(2i / headSize))` of dimension pair `(i, i + headSize / 2)`.
 *
 * @param factors - What divides each frequency, `[headSize / 2]`; all 1 when left out (llama3 scaling has them).
 * @param positions - Rows to compute.
 * @see Su et al. 2021, equation 15, https://arxiv.org/abs/2104.09864
 */
export function rotaryTables(
  { headSize, ropeTheta }: Pick<ModelConfig, "headSize" | "ropeTheta">,
  positions: number,
  factors?: Float32Array,
): RotaryTables {
  const pairs = headSize / 2;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const frequency = ropeTheta ** ((-2 * pair) / headSize) / (factors?.[pair] ?? 1);
    for (let position = 0; position < positions; position++) {
      cos[position * pairs + pair] = Math.cos(position * frequency);
      sin[position * pairs + pair] = Math.sin(position * frequency);
    }
  }
  return { cos, sin };
}
