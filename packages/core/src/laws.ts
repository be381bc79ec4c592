import { DecodingError } from "./errors.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/** A mass at or below this is rounding. */
const NOTHING = 1e-12;

/** All mass on one token. */
export function pointLaw(token: TokenId, vocabularySize: number): TokenLaw {
  return new SparseLaw(Int32Array.of(token), Float64Array.of(1), 1, vocabularySize);
}

/**
 * A law with a small support.
 *
 * @param ids - Ascending `[n]`; kept, not copied.
 * @param weights - Not negative, not all 0, `[n]`, in any scale; kept, not copied.
 * @throws `EMPTY_LAW` when no weight is positive.
 */
export function sparseLaw(ids: Int32Array, weights: Float64Array, vocabularySize: number): TokenLaw {
  return new SparseLaw(ids, weights, positiveSum(weights), vocabularySize);
}

/**
 * A law over the whole vocabulary.
 *
 * @param weights - Not negative, not all 0, `[V]`, in any scale; kept, not copied.
 * @throws `EMPTY_LAW` when no weight is positive.
 */
export function denseLaw(weights: Float64Array): TokenLaw {
  return new DenseLaw(weights, positiveSum(weights));
}

function positiveSum(weights: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < weights.length; index++) sum += weights[index]!;
  if (sum > 0 && Number.isFinite(sum)) return sum;
  throw new DecodingError("EMPTY_LAW", {
    message: `The weights of ${weights.length} tokens add up to ${sum}.`,
    fix: "At least one token must stay possible: look at bans, bias and processors.",
  });
}

abstract class Law implements TokenLaw {
  readonly vocabularySize: number;

  constructor(vocabularySize: number) {
    this.vocabularySize = vocabularySize;
  }

  abstract probability(token: TokenId): number;
  abstract forEach(visit: (token: TokenId, probability: number) => void): void;
  abstract draw(uniform: number): TokenId;
  abstract without(token: TokenId): TokenLaw | undefined;
  abstract residual(other: TokenLaw): TokenLaw | undefined;

  logProbability(token: TokenId): number {
    return Math.log(this.probability(token));
  }

  mode(): TokenId {
    let best = 0;
    let most = -1;
    this.forEach((token, probability) => {
      if (probability > most) {
        best = token;
        most = probability;
      }
    });
    return best;
  }

  entropy(): number {
    let sum = 0;
    this.forEach((_, probability) => {
      sum -= probability * Math.log(probability);
    });
    return Math.max(0, sum);
  }
}

/** The index at which the running sum of `weights` first exceeds `target`; the last positive one when rounding runs over. */
function drawIndex(weights: Float64Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index]!;
    if (weight <= 0) continue;
    sum += weight;
    if (sum > target) return index;
    last = index;
  }
  return last;
}

class SparseLaw extends Law {
  readonly #ids: Int32Array;
  readonly #weights: Float64Array;
  readonly #total: number;

  constructor(ids: Int32Array, weights: Float64Array, total: number, vocabularySize: number) {
    super(vocabularySize);
    this.#ids = ids;
    this.#weights = weights;
    this.#total = total;
  }

  probability(token: TokenId): number {
    let low = 0;
    let high = this.#ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const id = this.#ids[middle]!;
      if (id === token) return this.#weights[middle]! / this.#total;
      if (id < token) low = middle + 1;
      else high = middle - 1;
    }
    return 0;
  }

  forEach(visit: (token: TokenId, probability: number) => void): void {
    for (let index = 0; index < this.#ids.length; index++) {
      if (this.#weights[index]! > 0) visit(this.#ids[index]!, this.#weights[index]! / this.#total);
    }
  }

  draw(uniform: number): TokenId {
    return this.#ids[drawIndex(this.#weights, uniform * this.#total)]!;
  }

  without(token: TokenId): TokenLaw | undefined {
    return this.#changed((id, weight) => (id === token ? 0 : weight));
  }

  residual(other: TokenLaw): TokenLaw | undefined {
    return this.#changed((id, weight) => Math.max(0, weight - other.probability(id) * this.#total));
  }

  #changed(change: (id: TokenId, weight: number) => number): TokenLaw | undefined {
    const weights = this.#weights.map((weight, index) => change(this.#ids[index]!, weight));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (total <= NOTHING * this.#total) return undefined;
    return new SparseLaw(this.#ids, weights, total, this.vocabularySize);
  }
}

class DenseLaw extends Law {
  readonly #weights: Float64Array;
  readonly #total: number;

  constructor(weights: Float64Array, total: number) {
    super(weights.length);
    this.#weights = weights;
    this.#total = total;
  }

  probability(token: TokenId): number {
    return (this.#weights[token] ?? 0) / this.#total;
  }

  forEach(visit: (token: TokenId, probability: number) => void): void {
    for (let token = 0; token < this.#weights.length; token++) {
      if (this.#weights[token]! > 0) visit(token, this.#weights[token]! / this.#total);
    }
  }

  draw(uniform: number): TokenId {
    return drawIndex(this.#weights, uniform * this.#total);
  }

  without(token: TokenId): TokenLaw | undefined {
    return PatchedLaw.over(this, new Map([[token, 0]]));
  }

  residual(other: TokenLaw): TokenLaw | undefined {
    if (other instanceof DenseLaw) {
      const rest = this.#weights.map((weight, token) =>
        Math.max(0, weight / this.#total - other.#weights[token]! / other.#total),
      );
      const total = rest.reduce((sum, weight) => sum + weight, 0);
      return total <= NOTHING ? undefined : new DenseLaw(rest, total);
    }
    return PatchedLaw.over(this, restOver(this, other));
  }
}

/** What is left of `law` on the support of `other`. */
function restOver(law: TokenLaw, other: TokenLaw): Map<TokenId, number> {
  const rest = new Map<TokenId, number>();
  other.forEach((token, probability) => {
    rest.set(token, Math.max(0, law.probability(token) - probability));
  });
  return rest;
}

/**
 * A dense law scaled everywhere, except for a few tokens with probabilities of their own: what rejections leave of a
 * whole row, at the price of the draft's support.
 */
class PatchedLaw extends Law {
  readonly #base: TokenLaw;
  readonly #scale: number;
  readonly #patches: ReadonlyMap<TokenId, number>;

  /** `patches` are probabilities before renormalising. */
  private constructor(base: TokenLaw, scale: number, patches: ReadonlyMap<TokenId, number>) {
    super(base.vocabularySize);
    this.#base = base;
    this.#scale = scale;
    this.#patches = patches;
  }

  static over(base: TokenLaw, patches: ReadonlyMap<TokenId, number>, scale = 1): TokenLaw | undefined {
    let unpatched = 1;
    let patched = 0;
    for (const [token, probability] of patches) {
      unpatched -= base.probability(token);
      patched += probability;
    }
    const mass = scale * Math.max(0, unpatched) + patched;
    if (mass <= NOTHING) return undefined;
    const scaled = new Map([...patches].map(([token, probability]) => [token, probability / mass]));
    return new PatchedLaw(base, scale / mass, scaled);
  }

  probability(token: TokenId): number {
    return this.#patches.get(token) ?? this.#scale * this.#base.probability(token);
  }

  forEach(visit: (token: TokenId, probability: number) => void): void {
    this.#base.forEach((token) => {
      const probability = this.probability(token);
      if (probability > 0) visit(token, probability);
    });
  }

  draw(uniform: number): TokenId {
    let sum = 0;
    let drawn = -1;
    let last = 0;
    this.forEach((token, probability) => {
      sum += probability;
      last = token;
      if (drawn === -1 && sum > uniform) drawn = token;
    });
    return drawn === -1 ? last : drawn;
  }

  without(token: TokenId): TokenLaw | undefined {
    return PatchedLaw.over(this.#base, new Map([...this.#patches, [token, 0]]), this.#scale);
  }

  residual(other: TokenLaw): TokenLaw | undefined {
    return PatchedLaw.over(this.#base, new Map([...this.#patches, ...restOver(this, other)]), this.#scale);
  }
}
