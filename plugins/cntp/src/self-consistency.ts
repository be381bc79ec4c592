import { DecodingError } from "@foretoken/core";

/** What {@link selfConsistency} needs. */
export interface SelfConsistencyOptions<Result, Answer> {
  /** Answers once, with this seed. */
  run(seed: number): Promise<Result>;
  /** How many times, from 1. */
  readonly runs: number;
  /** The final answer in a result; `undefined` where there is none to be found, which does not vote. */
  extract(result: Result): Answer | undefined;
  /** The seed of the first run; the others follow it. Default 0. */
  readonly seed?: number;
  /** Runs at the same time, so that they share passes. Default 1. */
  readonly atOnce?: number;
}

/** An answer and who gave it. */
export interface Vote<Answer> {
  readonly answer: Answer;
  readonly count: number;
}

/** What several runs agree on. */
export interface Consensus<Result, Answer> {
  /** The answer of most runs, among equals that of the lowest seed; `undefined` when no run had one. */
  readonly answer: Answer | undefined;
  /** All answers, the most frequent first. */
  readonly votes: readonly Vote<Answer>[];
  /** Runs without an answer. */
  readonly abstained: number;
  /** By seed. */
  readonly results: readonly Result[];
}

/**
 * Answers several times with different seeds, and lets the final answers vote.
 *
 * @throws `INVALID_OPTION`, and what a run throws.
 * @see Wang et al. 2023, "Self-Consistency", https://arxiv.org/abs/2203.11171
 */
export async function selfConsistency<Result, Answer>({
  run,
  runs,
  extract,
  seed = 0,
  atOnce = 1,
}: SelfConsistencyOptions<Result, Answer>): Promise<Consensus<Result, Answer>> {
  if (!(runs >= 1 && atOnce >= 1)) {
    throw new DecodingError("INVALID_OPTION", {
      message: `runs is ${runs} and atOnce ${atOnce}, but both must be at least 1.`,
      fix: "Pass whole numbers.",
    });
  }
  const results: Result[] = [];
  while (results.length < runs) {
    const seeds = Array.from(
      { length: Math.min(atOnce, runs - results.length) },
      (_, at) => seed + results.length + at,
    );
    results.push(...(await Promise.all(seeds.map((own) => run(own)))));
  }
  const counts = new Map<Answer, number>();
  for (const result of results) {
    const answer = extract(result);
    if (answer !== undefined) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  // A stable sort: answers that are as frequent stay in the order of their seeds.
  const votes = [...counts].map(([answer, count]) => ({ answer, count })).sort((a, b) => b.count - a.count);
  const voted = votes.reduce((sum, { count }) => sum + count, 0);
  return { answer: votes[0]?.answer, votes, abstained: runs - voted, results };
}
