/**
 * Logits for every token of a target from those of a reduced vocabulary; all others are -Infinity.
 *
 * @param logits - `[V']`, of the tokens that `vocabulary` names.
 * @param size - `V`.
 */
export function wholeVocabulary(logits: Float32Array, vocabulary: Int32Array, size: number): Float32Array {
  const whole = new Float32Array(size).fill(Number.NEGATIVE_INFINITY);
  for (let index = 0; index < logits.length; index++) whole[vocabulary[index]!] = logits[index]!;
  return whole;
}
