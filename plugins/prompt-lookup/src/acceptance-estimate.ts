import type { Match, Support } from "./match-index.ts";

/**
 * How often the token behind a match was the model's own, by match length (1, 2, 3, 4, 5 and more) and support.
 * Counted over greedy answers of SmolLM2-135M-Instruct; `README.md`, "Measured", has the command.
 */
const PRIOR: Readonly<Record<Support, readonly number[]>> = {
  alone: [0.35, 0.65, 0.77, 0.87, 0.87],
  unanimous: [0.58, 0.89, 0.91, 0.91, 0.93],
  majority: [0.3, 0.63, 0.67, 0.82, 0.92],
  minority: [0.13, 0.33, 0.55, 0.57, 0.76],
};
const LENGTHS = PRIOR.alone.length;
const SUPPORTS = Object.keys(PRIOR) as Support[];
/** How many observations the prior counts for. */
const PRIOR_WEIGHT = 32;

/** One match whose continuation is known by now. */
interface Outcome {
  /** Index in the text of the predicted token. */
  readonly position: number;
  readonly kind: number;
  readonly isHit: boolean;
}

/**
 * The chance that the token behind a match is accepted: the prior, corrected by how matches of the same kind did in this
 * answer. Depends on the text alone, so that the same text gives the same drafts.
 */
export class AcceptanceEstimate {
  readonly #outcomes: Outcome[];
  readonly #tries = new Uint32Array(SUPPORTS.length * LENGTHS);
  readonly #hits = new Uint32Array(SUPPORTS.length * LENGTHS);

  constructor(outcomes: readonly Outcome[] = []) {
    this.#outcomes = [];
    for (const outcome of outcomes) this.#count(outcome);
  }

  /** Chance of acceptance, given that all tokens before it are accepted. */
  probability(match: Match): number {
    const kind = kindOf(match);
    const prior = PRIOR[match.support][kind % LENGTHS]!;
    return (this.#hits[kind]! + PRIOR_WEIGHT * prior) / (this.#tries[kind]! + PRIOR_WEIGHT);
  }

  /** Learns whether the token that became text at `position` was the one behind the match. */
  record(match: Match, position: number, isHit: boolean): void {
    this.#count({ position, kind: kindOf(match), isHit });
  }

  /** Forgets what was learnt from tokens at `length` and behind it. */
  truncate(length: number): void {
    while ((this.#outcomes.at(-1)?.position ?? -1) >= length) {
      const { kind, isHit } = this.#outcomes.pop()!;
      this.#tries[kind]!--;
      if (isHit) this.#hits[kind]!--;
    }
  }

  fork(): AcceptanceEstimate {
    return new AcceptanceEstimate(this.#outcomes);
  }

  #count(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    this.#tries[outcome.kind]!++;
    if (outcome.isHit) this.#hits[outcome.kind]!++;
  }
}

const kindOf = ({ length, support }: Match): number =>
  SUPPORTS.indexOf(support) * LENGTHS + Math.min(length, LENGTHS) - 1;
