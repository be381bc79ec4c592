import type { TrialsReport } from "./trials-report.ts";

/** Counts what an answer's trials were and what they cost. */
export class TrialTally {
  /** Places by their number of trials. */
  readonly #places = new Map<number, number>();
  #drawn = 0;
  #kept = 0;

  /** Tokens that were kept without a trial. */
  sure(tokens: number): void {
    if (tokens > 0) this.#count(1, tokens);
    this.#drawn += tokens;
    this.#kept += tokens;
  }

  /** A place of doubt. */
  doubted({ trials, kept }: TrialsReport): void {
    this.#count(trials.length, 1);
    for (const { tokens } of trials) this.#drawn += tokens.length;
    this.#kept += trials[kept]!.tokens.length;
  }

  /** As sentences; none before anything was counted. */
  explain(): readonly string[] {
    if (this.#kept === 0) return [];
    const places = [...this.#places].sort(([a], [b]) => a - b);
    return [
      `Trials at a place: ${places.map(([trials, count]) => `${trials} at ${count}`).join(", ")}.`,
      `${this.#drawn} tokens computed for ${this.#kept} kept: ${(this.#drawn / this.#kept).toFixed(2)} for each.`,
    ];
  }

  #count(trials: number, places: number): void {
    this.#places.set(trials, (this.#places.get(trials) ?? 0) + places);
  }
}
