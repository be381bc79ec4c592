import {
  type DecodeStep,
  DecodingError,
  type DraftWarp,
  type LawState,
  type Pass,
  type TokenId,
  type TokenLaw,
  type TokenLogProbability,
} from "@foretoken/core";

/** A token that a decoder decided, where its row can still be read. */
export interface Decided {
  readonly token: TokenId;
  /** Index in the text. */
  readonly position: number;
  /** The law at its place, at the watch's temperature. */
  readonly law: TokenLaw;
  /** What the caller asked to be told about a token at this place. */
  report(token: TokenId): Promise<TokenLogProbability>;
}

/** Options of {@link LawWatch}. */
export interface LawWatchOptions<Note> {
  /** Log-probabilities of how many top tokens the caller wants with each token; `undefined` for none. */
  readonly logProbabilities: number | undefined;
  /** The temperature of watched laws; default the caller's. */
  readonly temperature: number | undefined;
  /** Whether tokens are drawn at that temperature too. */
  readonly isDrawn: boolean;
  /** What is to be remembered of a token. */
  note(decided: Decided): Note | Promise<Note>;
}

/**
 * Learns the law behind every token that a decoder keeps, whatever it tries on the way. A decoder that is asked for
 * log-probabilities asks the law state for one entry for each token it keeps, and hands those entries on with its step: what is
 * to be remembered of a token is tied to its entry.
 */
export class LawWatch<Note> {
  readonly #options: LawWatchOptions<Note>;
  readonly #notes = new WeakMap<TokenLogProbability, Note>();

  constructor(options: LawWatchOptions<Note>) {
    this.#options = options;
  }

  /** `law` under watch, for a decoder that is asked for log-probabilities. */
  over(law: LawState): LawState {
    return new WatchedLaw(law, this.#options, this.#notes);
  }

  /**
   * The notes on the tokens of a step.
   * @throws `PART_FAILED` when the decoder did not hand the entries on.
   */
  notes({ tokens, logProbabilities }: DecodeStep): readonly Note[] {
    return tokens.map((token, at) => {
      const entry = logProbabilities?.[at];
      if (entry !== undefined && this.#notes.has(entry)) return this.#notes.get(entry) as Note;
      throw new DecodingError("PART_FAILED", {
        message: `The inner decoder kept token ${token} without the log-probability that its law state gave it.`,
        fix: "Use a decoder that returns the entries of LawState.logProbabilities, one for each token, as they are.",
      });
    });
  }
}

class WatchedLaw<Note> implements LawState {
  readonly #law: LawState;
  readonly #options: LawWatchOptions<Note>;
  readonly #notes: WeakMap<TokenLogProbability, Note>;
  /** The law that was asked for last: a verifier reads it just before its token is reported. */
  #latest: { readonly pass: Pass; readonly row: number; readonly law: Promise<TokenLaw> } | undefined;

  constructor(law: LawState, options: LawWatchOptions<Note>, notes: WeakMap<TokenLogProbability, Note>) {
    this.#law = law;
    this.#options = options;
    this.#notes = notes;
  }

  get isPlainGreedy(): boolean {
    return this.#law.isPlainGreedy && !this.#isWarped;
  }

  advance(token: TokenId): LawState {
    return new WatchedLaw(this.#law.advance(token), this.#options, this.#notes);
  }

  law(pass: Pass, row: number): Promise<TokenLaw> {
    const { temperature, isDrawn } = this.#options;
    const isApart = temperature !== undefined && !isDrawn;
    return isApart ? this.#law.law(pass, row) : this.#watched(pass, row);
  }

  lawOf(logits: Float32Array, warp?: DraftWarp): TokenLaw {
    const { temperature } = this.#options;
    return this.#law.lawOf(logits, this.#isWarped ? { temperature, ...warp } : warp);
  }

  async logProbabilities(pass: Pass, row: number, token: TokenId): Promise<TokenLogProbability> {
    const law = await this.#watched(pass, row);
    const top = this.#options.logProbabilities;
    const report = async (told: TokenId): Promise<TokenLogProbability> =>
      top === undefined
        ? // Nobody is told, so nothing that costs a look at the whole row is computed.
          { token: told, raw: Number.NaN, processed: law.logProbability(told), top: [] }
        : this.#law.logProbabilities(pass, row, told, top);
    const entry = await report(token);
    const position = pass.rows[row]!.position + 1;
    this.#notes.set(entry, await this.#options.note({ token, position, law, report }));
    return entry;
  }

  get #isWarped(): boolean {
    return this.#options.isDrawn && this.#options.temperature !== undefined;
  }

  #watched(pass: Pass, row: number): Promise<TokenLaw> {
    if (this.#latest?.pass !== pass || this.#latest.row !== row) {
      this.#latest = { pass, row, law: this.#read(pass, row) };
    }
    return this.#latest.law;
  }

  async #read(pass: Pass, row: number): Promise<TokenLaw> {
    const { temperature } = this.#options;
    if (temperature === undefined) return this.#law.law(pass, row);
    return this.#law.lawOf(await pass.logits(row), { temperature });
  }
}
