import type { DecodeStep, SourceCount } from "./decoder.ts";
import type { Guarantee } from "./guarantee.ts";
import type { Model } from "./model.ts";

/** How many drafts were offered at one depth of the tree, and how many accepted. */
export interface DepthCount {
  /** 1 for the first token behind the root. */
  readonly depth: number;
  /** Passes that offered a draft this deep. */
  readonly offered: number;
  readonly accepted: number;
}

/** Wall-clock milliseconds of a generation by what they were spent on. */
export interface ReportTimes {
  readonly prefillMs: number;
  readonly draftMs: number;
  readonly passMs: number;
  readonly verifyMs: number;
  /** The rest: text, events, the consumer of a stream. */
  readonly otherMs: number;
  readonly totalMs: number;
  /** From the call to the first token; prefill, and building what the decoder asked for. */
  readonly timeToFirstTokenMs: number;
}

/** What a generation did and what it cost. Prefill is not counted in passes, rows and efficiency. */
export interface Report {
  readonly decoder: string;
  readonly guarantee: Guarantee;
  /** Tokens of output. */
  readonly tokens: number;
  /** Passes of branches that were laid together count each. */
  readonly targetPasses: number;
  /** Rows of those passes, probes included. */
  readonly rows: number;
  /** Tokens behind the first one ÷ target passes; plain decoding is 1. */
  readonly blockEfficiency: number;
  /** (tokens - 1) ÷ seconds between the first and the last token; 0 with fewer than two tokens. */
  readonly tokensPerSecond: number;
  /** Draft nodes verified. */
  readonly drafted: number;
  /** Draft tokens that became text. */
  readonly accepted: number;
  /** Passes with a draft whose last token was the target's own although a draft stood at its place. */
  readonly corrected: number;
  readonly acceptanceByDepth: readonly DepthCount[];
  readonly bySource: Readonly<Record<string, SourceCount>>;
  readonly times: ReportTimes;
  /** Bytes copied from the device meanwhile, also for other answers that ran; 0 where device and program share memory. */
  readonly bytesRead: number;
  /** What the decoder chose and why, as sentences; such as how many nodes its budget found worth verifying. */
  readonly choices: readonly string[];
}

/** Adds up the passes of one generation. */
export class ReportBuilder {
  readonly #began = performance.now();
  readonly #offered: number[] = [];
  readonly #accepted: number[] = [];
  readonly #bySource: Record<string, { drafted: number; accepted: number }> = {};
  #firstTokenAt: number | undefined;
  #lastTokenAt = 0;
  #tokens = 0;
  #passes = 0;
  #rows = 0;
  #draftedNodes = 0;
  #corrected = 0;
  readonly #model: Pick<Model, "bytesRead">;
  readonly #bytesBefore: number;
  #times = { prefillMs: 0, draftMs: 0, passMs: 0, verifyMs: 0 };

  constructor(model: Pick<Model, "bytesRead">) {
    this.#model = model;
    this.#bytesBefore = model.bytesRead ?? 0;
  }

  prefill(elapsedMs: number): void {
    this.#times.prefillMs += elapsedMs;
  }

  firstToken(): void {
    this.#tokens = 1;
    this.#firstTokenAt = this.#lastTokenAt = performance.now();
  }

  step(step: DecodeStep): void {
    this.#lastTokenAt = performance.now();
    this.#tokens += step.tokens.length;
    this.#passes++;
    this.#rows += step.rows;
    this.#draftedNodes += step.drafted;
    for (let depth = 0; depth < step.draftedDepth; depth++) {
      this.#offered[depth] = (this.#offered[depth] ?? 0) + 1;
      if (depth < step.accepted) this.#accepted[depth] = (this.#accepted[depth] ?? 0) + 1;
    }
    const lastNode = step.path?.at(-1) ?? 0;
    const emittedItsOwn = step.accepted < step.tokens.length;
    if (emittedItsOwn && step.tree !== undefined && step.tree.nodes[lastNode]!.trials.length > 0)
      this.#corrected++;
    for (const [source, { drafted, accepted }] of Object.entries(step.bySource)) {
      this.#bySource[source] ??= { drafted: 0, accepted: 0 };
      const count = this.#bySource[source];
      count.drafted += drafted;
      count.accepted += accepted;
    }
    this.#times.draftMs += step.times.draftMs;
    this.#times.passMs += step.times.passMs;
    this.#times.verifyMs += step.times.verifyMs;
  }

  build(decoder: string, guarantee: Guarantee, choices: readonly string[]): Report {
    const totalMs = performance.now() - this.#began;
    const { prefillMs, draftMs, passMs, verifyMs } = this.#times;
    const decodeMs = this.#lastTokenAt - (this.#firstTokenAt ?? 0);
    return {
      decoder,
      guarantee,
      tokens: this.#tokens,
      targetPasses: this.#passes,
      rows: this.#rows,
      blockEfficiency: this.#passes === 0 ? 0 : (this.#tokens - 1) / this.#passes,
      tokensPerSecond: this.#tokens < 2 || decodeMs <= 0 ? 0 : ((this.#tokens - 1) * 1000) / decodeMs,
      drafted: this.#draftedNodes,
      accepted: this.#accepted.reduce((sum, count) => sum + (count ?? 0), 0),
      corrected: this.#corrected,
      acceptanceByDepth: this.#offered.map((offered, index) => ({
        depth: index + 1,
        offered,
        accepted: this.#accepted[index] ?? 0,
      })),
      bySource: this.#bySource,
      bytesRead: (this.#model.bytesRead ?? 0) - this.#bytesBefore,
      choices,
      times: {
        ...this.#times,
        otherMs: Math.max(0, totalMs - prefillMs - draftMs - passMs - verifyMs),
        totalMs,
        timeToFirstTokenMs: this.#firstTokenAt === undefined ? 0 : this.#firstTokenAt - this.#began,
      },
    };
  }
}
