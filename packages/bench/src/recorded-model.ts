import {
  DecodingError,
  type Model,
  type Pass,
  type PendingRow,
  type RowInput,
  type Session,
  type TokenId,
  type TopK,
} from "@foretoken/core";
import type { RecordedAnswer } from "./recorded-answer.ts";

/** Options of {@link recordedModel}. */
export interface RecordedModelOptions {
  /** `V`. */
  readonly vocabularySize: number;
  /** What a pass of so many rows costs, for budgets that ask. Default one for each row. */
  readonly cost?: (rows: number) => number;
}

/**
 * A model that writes one recorded answer again, for counting what a decoder would have done on it: greedily, in
 * milliseconds, without weights.
 *
 * Rows on the recorded text have its next token as argmax and its candidates as top-k. Rows off it, which the record knows
 * nothing of, have those of the newest earlier row that was fed the same token, or none; so a drafter that learns from
 * rejected rows is judged a little too low.
 */
export function recordedModel(
  recorded: RecordedAnswer,
  { vocabularySize, cost = (rows) => rows }: RecordedModelOptions,
): Model {
  const text = [...recorded.prompt, ...recorded.answer];
  const model: Model = {
    id: "recorded",
    contentHash: "recorded",
    device: "recorded",
    dtype: "recorded",
    vocabularySize,
    contextLength: text.length,
    layers: 0,
    width: 0,
    tokenizer: undefined,
    cost: { isMeasured: false, ms: cost },
    unsupported: ({ hidden = [], prefillHidden = [], gates, embeddings, extensions = [] }) =>
      hidden.length + prefillHidden.length + extensions.length > 0 || gates || embeddings
        ? ["A recorded answer has tokens and candidates only."]
        : [],
    prepare: async () => {},
    createSession: () => new RecordedSession(model, text, recorded),
    dispose: async () => {},
  };
  return model;
}

class RecordedRow implements PendingRow {
  readonly token: TokenId;
  readonly position: number;
  /** Whether it and all before it are the recorded text. */
  readonly isRecorded: boolean;

  constructor(token: TokenId, position: number, isRecorded: boolean) {
    this.token = token;
    this.position = position;
    this.isRecorded = isRecorded;
  }
}

class RecordedSession implements Session {
  readonly model: Model;
  readonly tokens: TokenId[] = [];
  pendingCount = 0;
  isDisposed = false;
  readonly #listeners: (() => void)[] = [];
  readonly #text: readonly TokenId[];
  readonly #recorded: RecordedAnswer;

  constructor(model: Model, text: readonly TokenId[], recorded: RecordedAnswer) {
    this.model = model;
    this.#text = text;
    this.#recorded = recorded;
  }

  layersAt(): undefined {
    return undefined;
  }

  async forward(inputs: readonly RowInput[]): Promise<Pass> {
    const rows: RecordedRow[] = [];
    for (const [index, { token, parent = index - 1 }] of inputs.entries()) {
      const above = typeof parent === "number" ? rows[parent] : (parent as RecordedRow);
      const position = above === undefined ? this.tokens.length : above.position + 1;
      const isRecorded = (above?.isRecorded ?? true) && token === this.#text[position];
      rows.push(new RecordedRow(token!, position, isRecorded));
    }
    this.pendingCount += rows.length;
    return {
      rows,
      elapsedMs: 0,
      argmax: async (row) => this.#next(rows[row]!),
      topK: async (row, k) => this.#candidates(rows[row]!, k),
      logits: () => notRecorded("logits"),
      logSumExp: () => notRecorded("log-sum-exp"),
      hidden: () => notRecorded("hidden states"),
    };
  }

  commit(path: readonly PendingRow[]): void {
    this.tokens.push(...path.map((row) => row.token!));
    this.pendingCount = 0;
  }

  discard(): void {
    this.pendingCount = 0;
  }

  truncate(length: number): void {
    this.tokens.length = Math.min(length, this.tokens.length);
    this.pendingCount = 0;
  }

  branch(): Session {
    return notRecorded("branches");
  }

  adopt(): void {
    notRecorded("branches");
  }

  onDispose(listener: () => void): void {
    this.#listeners.push(listener);
  }

  dispose(): void {
    this.isDisposed = true;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  #next({ isRecorded, position, token }: RecordedRow): TokenId {
    return (isRecorded ? this.#text[position + 1] : undefined) ?? token;
  }

  #candidates({ isRecorded, position, token }: RecordedRow, k: number): TopK {
    let at = position;
    if (!isRecorded) for (at = this.tokens.length; at >= 0 && this.#text[at] !== token; at--);
    const ids = Int32Array.from(this.#recorded.topK?.[at]?.slice(0, k) ?? []);
    const known = this.#recorded.topLogProbabilities?.[at];
    return { ids, logProbabilities: Float64Array.from(ids, (_, rank) => known?.[rank] ?? Number.NaN) };
  }
}

function notRecorded(what: string): never {
  throw new DecodingError("UNSUPPORTED", {
    message: `A recorded answer has no ${what}.`,
    fix: "Replay greedy decoders of drafts from tokens and candidates; run others on a model.",
  });
}
