import type { TokenId } from "@foretoken/core";
import type { SuccessorOwner } from "./successor-owner.ts";

/** The tokens known to follow one context, likeliest first; the lower id first among equals. Do not write to it. */
export interface SuccessorRow {
  /** Token ids `[n]`, n at least 1, all different. */
  readonly ids: Int32Array;
  /** What each weighs, `[n]`, above 0: a share of `total`. */
  readonly weights: Float32Array;
  /** What all successors weigh, those included that are not kept; 1 where nothing was added. */
  readonly total: number;
}

/** The probability of a successor: its share of all that was seen behind the context. */
export const successorChance = ({ weights, total }: SuccessorRow, rank: number): number =>
  weights[rank]! / total;

/** What a {@link SuccessorTable} is made of. */
export interface SuccessorArrays {
  /** Context keys `[rows]`, ascending; see {@link SuccessorTable.row}. */
  readonly keys: Float64Array;
  /** Where each row begins among the entries, `[rows + 1]`. */
  readonly starts: Uint32Array;
  /** How much evidence each row holds, `[rows]`: how often its context was counted. */
  readonly seen: Float32Array;
  /** Successors `[entries]`, of each row likeliest first. */
  readonly ids: Int32Array;
  /** Their shares `[entries]`, 0 < weight <= 1; those of a row add up to 1 at most. */
  readonly weights: Float32Array;
}

/** What a table of successors is about. */
export interface SuccessorShape {
  /** Tokens of a context: 1 or 2. */
  readonly order: 1 | 2;
  /** `V`. */
  readonly vocabularySize: number;
  /** What it may be used with. */
  readonly owner: SuccessorOwner;
}

/**
 * For contexts of one or two tokens the tokens that follow them and how often: read-only, compact, to be shared by any number
 * of texts. Made by {@link SuccessorCounts}, changed for one text through a {@link SuccessorOverlay}.
 */
export class SuccessorTable implements SuccessorShape {
  readonly order: 1 | 2;
  readonly vocabularySize: number;
  readonly owner: SuccessorOwner;
  /** Read by what writes and merges tables. */
  readonly arrays: SuccessorArrays;

  constructor({ order, vocabularySize, owner }: SuccessorShape, arrays: SuccessorArrays) {
    this.order = order;
    this.vocabularySize = vocabularySize;
    this.owner = owner;
    this.arrays = arrays;
  }

  /** Contexts known. */
  get rows(): number {
    return this.arrays.keys.length;
  }

  /** Bytes of memory. */
  get bytes(): number {
    const { keys, starts, seen, ids, weights } = this.arrays;
    return keys.byteLength + starts.byteLength + seen.byteLength + ids.byteLength + weights.byteLength;
  }

  /**
   * The successors of a context, or `undefined` where it is unknown.
   * @param key - The token, or {@link pairKey} of two.
   */
  row(key: number): SuccessorRow | undefined {
    const { keys, starts, ids, weights } = this.arrays;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    if (keys[low] !== key) return undefined;
    const [start, end] = [starts[low]!, starts[low + 1]!];
    return { ids: ids.subarray(start, end), weights: weights.subarray(start, end), total: 1 };
  }
}

/** The key of a context of two tokens, the earlier one first; exact for vocabularies below 2^26. */
export const pairKey = (vocabularySize: number, before: TokenId, token: TokenId): number =>
  before * vocabularySize + token;
