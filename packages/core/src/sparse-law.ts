import { indexAt, LawBase, lowerBound, NOTHING } from "./law-base.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/** A law that lists its tokens. */
export class SparseLaw extends LawBase {
  readonly #ids: Int32Array;
  readonly #weights: Float64Array;
  readonly #total: number;

  /**
   * @param ids - Ascending `[n]`.
   * @param weights - Not negative `[n]`.
   * @param total - Their sum, above 0.
   */
  constructor(ids: Int32Array, weights: Float64Array, total: number, vocabularySize: number) {
    super(vocabularySize);
    this.#ids = ids;
    this.#weights = weights;
    this.#total = total;
  }

  probability(token: TokenId): number {
    const index = lowerBound(this.#ids, token);
    return this.#ids[index] === token ? this.#weights[index] / this.#total : 0;
  }

  forEach(visit: (token: TokenId, probability: number) => void): void {
    for (let index = 0; index < this.#ids.length; index++) {
      if (this.#weights[index] > 0) visit(this.#ids[index], this.#weights[index] / this.#total);
    }
  }

  draw(uniform: number): TokenId {
    return this.#ids[indexAt(this.#weights, uniform * this.#total)];
  }

  without(token: TokenId): TokenLaw | undefined {
    return this.#less((id, weight) => (id === token ? weight : 0));
  }

  residual(other: TokenLaw): TokenLaw | undefined {
    return this.#less((id) => other.probability(id) * this.#total);
  }

  /** What is left when `taken` is subtracted from each weight. */
  #less(taken: (id: TokenId, weight: number) => number): TokenLaw | undefined {
    let total = 0;
    const weights = this.#weights.map((weight, index) => {
      const rest = Math.max(0, weight - taken(this.#ids[index], weight));
      total += rest;
      return rest;
    });
    if (!(total > NOTHING * this.#total)) return undefined;
    return new SparseLaw(this.#ids, weights, total, this.vocabularySize);
  }
}
