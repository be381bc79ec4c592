import { DecodingError } from "./errors.ts";
import type { Purpose, Random } from "./random.ts";
import { showValue } from "./show-value.ts";

/** Four 32-bit words. */
type Words = readonly [number, number, number, number];

/** Two 32-bit words. */
type Key = readonly [number, number];

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;
const ROUNDS = 10;

/** The purposes as counter words; `fork` is not one of them, so a fork's key is no number that anybody draws. */
const PURPOSE: Readonly<Record<Purpose, number>> = { token: 0, accept: 1, draft: 2, trial: 3 };
const FORK = 4;

/**
 * The block cipher behind the random numbers: a bijection of `counter` for each `key`.
 *
 * @returns Four 32-bit words, unsigned.
 * @see Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", section 3.3, https://doi.org/10.1145/2063384.2063405
 */
export function philox4x32(counter: Words, key: Key): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIERS[0], c0);
    const low0 = Math.imul(MULTIPLIERS[0], c0);
    const high1 = multiplyHigh(MULTIPLIERS[1], c2);
    const low1 = Math.imul(MULTIPLIERS[1], c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL[0]) | 0;
    k1 = (k1 + WEYL[1]) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** The upper 32 of the 64 bits of a product of two unsigned words. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Each term stays below 2^53, so nothing is lost.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)) | 0;
}

/**
 * Uniform numbers from Philox4x32-10, keyed by seed and stream, counted by (position, purpose, index).
 *
 * @param seed - Whole number from 0 to 2^53 - 1.
 * @throws `INVALID_OPTION` for any other seed.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new DecodingError("INVALID_OPTION", {
      message: `seed is ${showValue(seed)}, but must be a whole number from 0 to 2^53 - 1.`,
      fix: "Pass such a number, or leave seed out for a random one.",
    });
  }
  return keyedRandom([seed >>> 0, Math.floor(seed / 2 ** 32)]);
}

function keyedRandom(key: Key): Random {
  return {
    uniform(position, purpose, index = 0) {
      const [high, low] = philox4x32([position, PURPOSE[purpose], index, 0], key);
      return ((high >>> 5) * 2 ** 26 + (low >>> 6)) * 2 ** -53;
    },
    fork(position, trial) {
      const [first, second] = philox4x32([position, FORK, trial, 0], key);
      return keyedRandom([first, second]);
    },
  };
}
