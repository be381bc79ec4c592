import { indexAt, LawBase, lowerBound, NOTHING } from "./law-base.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/** Tokens of a block: a draw looks for the block first, then inside it. */
const BLOCK = 256;

/** A law to be subtracted may list this part of the vocabulary before the whole row is written anew. */
const FEW = 1 / 16;

/** A few tokens whose probabilities are their own, whatever the row says. */
interface Patches {
  /** Ascending `[n]`. */
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
}

const NO_PATCHES: Patches = { ids: new Int32Array(0), probabilities: new Float64Array(0) };

/**
 * A law over the whole vocabulary: one row of weights times a scale, except for a few tokens. What a rejection leaves of
 * it shares the row, so that it costs the support of the draft instead of the vocabulary.
 *
 * @see The form `Q(y) = α·q(y)` outside the draft's support follows from the residual `[Q - P]+`, Leviathan et al. 2023
 */
export class DenseLaw extends LawBase {
  readonly #weights: Float64Array;
  readonly #blocks: Float64Array;
  readonly #scale: number;
  readonly #patches: Patches;
  #knownMasses: Float64Array | undefined;

  private constructor(weights: Float64Array, blocks: Float64Array, scale: number, patches: Patches) {
    super(weights.length);
    this.#weights = weights;
    this.#blocks = blocks;
    this.#scale = scale;
    this.#patches = patches;
  }

  /**
   * @param weights - Not negative `[V]`, in any scale; kept, not copied.
   * @returns `undefined` when they do not add up to a finite number above `least`.
   */
  static of(weights: Float64Array, least = 0): DenseLaw | undefined {
    const blocks = new Float64Array(Math.ceil(weights.length / BLOCK));
    let total = 0;
    for (let block = 0; block < blocks.length; block++) {
      const end = Math.min(weights.length, (block + 1) * BLOCK);
      // Two sums that do not wait for each other.
      let even = 0;
      let odd = 0;
      let token = block * BLOCK;
      for (; token + 1 < end; token += 2) {
        even += weights[token];
        odd += weights[token + 1];
      }
      if (token < end) even += weights[token];
      blocks[block] = even + odd;
      total += even + odd;
    }
    if (!(total > least && Number.isFinite(total))) return undefined;
    return new DenseLaw(weights, blocks, 1 / total, NO_PATCHES);
  }

  probability(token: TokenId): number {
    const { ids, probabilities } = this.#patches;
    const index = lowerBound(ids, token);
    return ids[index] === token ? probabilities[index] : (this.#weights[token] ?? 0) * this.#scale;
  }

  forEach(visit: (token: TokenId, probability: number) => void): void {
    for (let block = 0; block < this.#blocks.length; block++) {
      const inside = this.#inside(block);
      for (let index = 0; index < inside.length; index++) {
        if (inside[index] > 0) visit(block * BLOCK + index, inside[index]);
      }
    }
  }

  draw(uniform: number): TokenId {
    const masses = this.#blockMasses();
    const target = uniform * masses.reduce((sum, mass) => sum + mass);
    const block = indexAt(masses, target);
    let before = 0;
    for (let index = 0; index < block; index++) before += masses[index];
    return block * BLOCK + indexAt(this.#inside(block), target - before);
  }

  without(token: TokenId): TokenLaw | undefined {
    return this.#less([token], (_, probability) => probability);
  }

  residual(other: TokenLaw): TokenLaw | undefined {
    const most = this.vocabularySize * FEW;
    const support: TokenId[] = [];
    other.forEach((token) => {
      if (support.length <= most) support.push(token);
    });
    if (support.length <= most) return this.#less(support, (token) => other.probability(token));
    const rest = new Float64Array(this.vocabularySize);
    for (let block = 0; block < this.#blocks.length; block++) rest.set(this.#inside(block), block * BLOCK);
    other.forEach((token, probability) => {
      rest[token] = Math.max(0, rest[token] - probability);
    });
    return DenseLaw.of(rest, NOTHING);
  }

  /** What is left when `taken` is subtracted from the probabilities of some tokens. */
  #less(
    tokens: readonly TokenId[],
    taken: (token: TokenId, probability: number) => number,
  ): TokenLaw | undefined {
    const ids = Int32Array.from(new Set([...this.#patches.ids, ...tokens])).sort();
    const probabilities = Float64Array.from(ids, (token) => {
      const probability = this.probability(token);
      return probability - Math.min(probability, taken(token, probability));
    });
    // Added up, not 1 less what was taken: that would leave rounding where nothing is left, and grow with every call.
    const masses = new DenseLaw(this.#weights, this.#blocks, this.#scale, {
      ids,
      probabilities,
    }).#blockMasses();
    const mass = masses.reduce((sum, block) => sum + block);
    if (!(mass > NOTHING)) return undefined;
    const rest = new DenseLaw(this.#weights, this.#blocks, this.#scale / mass, {
      ids,
      probabilities: probabilities.map((probability) => probability / mass),
    });
    rest.#knownMasses = masses.map((block) => block / mass);
    return rest;
  }

  /** Probabilities inside one block, `[BLOCK]` or shorter at the end. */
  #inside(block: number): Float64Array {
    const start = block * BLOCK;
    const inside = this.#weights.slice(start, start + BLOCK);
    for (let index = 0; index < inside.length; index++) inside[index] *= this.#scale;
    const { ids, probabilities } = this.#patches;
    for (let at = lowerBound(ids, start); ids[at] < start + BLOCK; at++) {
      inside[ids[at] - start] = probabilities[at];
    }
    return inside;
  }

  /** The probability of each block; added anew where it holds patches, since taking them off the old sum would not cancel. */
  #blockMasses(): Float64Array {
    if (this.#knownMasses !== undefined) return this.#knownMasses;
    const masses = this.#blocks.map((sum) => sum * this.#scale);
    let last = -1;
    for (const token of this.#patches.ids) {
      const block = Math.floor(token / BLOCK);
      if (block === last) continue;
      masses[block] = 0;
      for (const probability of this.#inside(block)) masses[block] += probability;
      last = block;
    }
    this.#knownMasses = masses;
    return masses;
  }
}
