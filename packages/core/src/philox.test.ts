import { expect, test } from "vitest";
import { hasCode } from "./errors.ts";
import { philox4x32, seededRandom } from "./philox.ts";

const ONES = 0xffffffff;

// The known answers that Random123 publishes for philox4x32 with 10 rounds.
test.each([
  [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  [[ONES, ONES, ONES, ONES], [ONES, ONES], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  ],
] as const)("philox4x32-10 of %o and %o is the published answer", (counter, key, answer) => {
  const words = philox4x32(counter, key).map((word) => word.toString(16).padStart(8, "0"));
  expect(words.join(" ")).toBe(answer);
});

test("a number depends on its key alone, not on what was drawn before", () => {
  const random = seededRandom(7);
  const first = random.uniform(3, "token");
  random.uniform(4, "accept", 2);
  expect(random.uniform(3, "token")).toBe(first);
  expect(seededRandom(7).uniform(3, "token")).toBe(first);
});

test("position, purpose, index, seed and stream each give another number", () => {
  const random = seededRandom(7);
  const numbers = [
    random.uniform(3, "token"),
    random.uniform(4, "token"),
    random.uniform(3, "accept"),
    random.uniform(3, "draft"),
    random.uniform(3, "trial"),
    random.uniform(3, "token", 1),
    seededRandom(8).uniform(3, "token"),
    seededRandom(7 + 2 ** 32).uniform(3, "token"),
    random.fork(3, 0).uniform(3, "token"),
    random.fork(3, 1).uniform(3, "token"),
    random.fork(2, 0).uniform(3, "token"),
    random.fork(3, 0).fork(3, 0).uniform(3, "token"),
  ];
  expect(new Set(numbers).size).toBe(numbers.length);
});

test("the numbers are uniform in [0, 1), over positions and over the trials of one position", () => {
  const random = seededRandom(1);
  for (const draw of [
    (index: number) => random.uniform(index, "token"),
    (index: number) => random.uniform(9, "draft", index),
    (index: number) => random.fork(9, index).uniform(9, "token"),
  ]) {
    const counts = new Array<number>(64).fill(0);
    const draws = 64_000;
    for (let index = 0; index < draws; index++) {
      const uniform = draw(index);
      // Anything outside [0, 1) counts nowhere, and is missed below.
      counts[Math.floor(uniform * 64)]++;
    }
    expect(counts.reduce((sum, count) => sum + count)).toBe(draws);
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(Math.abs(chiSquare - 63) / Math.sqrt(2 * 63)).toBeLessThan(4);
  }
});

test.each([Number.NaN, -1, 0.5, 2 ** 53, "7"])("refuses %o as a seed", (seed) => {
  let caught: unknown;
  try {
    seededRandom(seed as number);
  } catch (error) {
    caught = error;
  }
  expect(hasCode(caught, "INVALID_OPTION")).toBe(true);
  expect((caught as Error).message).toContain(String(seed));
});
