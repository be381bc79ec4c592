import { expect, test } from "vitest";
import { AcceptanceEstimate } from "./acceptance-estimate.ts";
import type { Match } from "./match-index.ts";

const match = (length: number, support: Match["support"]): Match => ({ next: 0, length, support });

test("trusts longer and less contested matches more", () => {
  const estimate = new AcceptanceEstimate();
  for (const support of ["alone", "unanimous", "majority", "minority"] as const) {
    expect(estimate.probability(match(3, support))).toBeGreaterThan(estimate.probability(match(1, support)));
  }
  expect(estimate.probability(match(1, "minority"))).toBeLessThan(estimate.probability(match(1, "alone")));
  expect(estimate.probability(match(40, "alone"))).toBe(estimate.probability(match(5, "alone")));
});

test("moves towards what it saw, for matches of that kind only", () => {
  const estimate = new AcceptanceEstimate();
  const before = estimate.probability(match(2, "alone"));
  const other = estimate.probability(match(3, "alone"));
  for (let position = 0; position < 48; position++) estimate.record(match(2, "alone"), position, false);
  expect(estimate.probability(match(2, "alone"))).toBeCloseTo(before / 4, 10);
  expect(estimate.probability(match(3, "alone"))).toBe(other);
});

test("forgets exactly what a truncation takes away, and a copy keeps it", () => {
  const estimate = new AcceptanceEstimate();
  estimate.record(match(1, "alone"), 10, true);
  const then = estimate.probability(match(1, "alone"));
  estimate.record(match(1, "alone"), 11, false);
  estimate.record(match(1, "alone"), 12, false);
  const copy = estimate.fork();
  const later = estimate.probability(match(1, "alone"));
  estimate.truncate(11);
  expect(estimate.probability(match(1, "alone"))).toBe(then);
  expect(copy.probability(match(1, "alone"))).toBe(later);
});
