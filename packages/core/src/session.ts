import type { Model } from "./model.ts";
import type { TokenId } from "./tokens.ts";

/**
 * A position that was run through the model and is not text yet. It belongs to the session that made it and is
 * freed by `commit` (unless kept) or `discard`. Compare by identity.
 */
export interface PendingRow {
  /** The token fed, or `undefined` for an injected embedding. */
  readonly token: TokenId | undefined;
  /** Index in the text, `0 <= position < contextLength`. */
  readonly position: number;
}

/**
 * One position to run. It sees the committed text, its ancestors among pending rows, and itself.
 */
export interface RowInput {
  /** The token to feed; exactly one of `token` and `embedding` is given. */
  readonly token?: TokenId;
  /** An injected input embedding `[D]`; such a row can never be committed. Needs `Requirements.embeddings`. */
  readonly embedding?: Float32Array;
  /**
   * What the row follows: `-1` the end of the committed text, `i >= 0` row `i` of this call (must come earlier), or a
   * pending row. Left out: the previous row of this call, for the first row the end of the text.
   */
  readonly parent?: number | PendingRow;
  /** Integers that graph extensions declared, by name; 0 when left out. */
  readonly integers?: Readonly<Record<string, number>>;
  /** Vectors that graph extensions declared, by name, of the widths they said; zeros when left out. */
  readonly vectors?: Readonly<Record<string, Float32Array>>;
  /** A state of the target `[D]` beside the token, for draft heads, which continue those states; zeros when left out. */
  readonly feature?: Float32Array;
}

/** Where in the model a hidden state is read: the residual stream after layer `l` (0: the embeddings), or after the final norm. */
export type HiddenSite = number | "final";

/** Which layers run, `[L]`; `undefined` everywhere means all. */
export type LayerSet = readonly boolean[];

/**
 * What a caller may read from a pass. Rows and hidden states must be asked for; a reduction that was not asked for works on
 * a row that was, but may cost a device read.
 */
export interface Wants {
  /** Rows of this call whose logits are computed: default none (the head is skipped). */
  readonly logits?: "all" | "last" | readonly number[];
  /** Compute the argmax of those rows with the pass. */
  readonly argmax?: boolean;
  /** Compute the `topK` largest logits of those rows with the pass. */
  readonly topK?: number;
  /** Hidden states to return, for all rows of the call. */
  readonly hidden?: readonly HiddenSite[];
  /** The layers to run; a later pass may see these rows only with a subset of them, else `CACHE_HOLE`. */
  readonly layers?: LayerSet;
  readonly signal?: AbortSignal;
}

/** The `k` largest logits of a row, best first; the lower id first among equals. */
export interface TopK {
  /** Token ids `[k]`. */
  readonly ids: Int32Array;
  /** Natural log-probabilities `[k]` under the softmax of the whole row. */
  readonly logProbabilities: Float64Array;
}

/** A tensor that may still lie on the device. */
export interface DeviceTensor {
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly dtype: "float32" | "float16";
  /** Copies the values out as float32. */
  read(): Promise<Float32Array>;
  /** Frees the device memory; the pass does so itself when its rows are freed. */
  dispose(): void;
}

/** The outcome of one `forward`. Row indices are those of the call. */
export interface Pass {
  /** One pending row for each row of the call, in order. */
  readonly rows: readonly PendingRow[];
  /** Wall-clock milliseconds the model took; when calls were fused, of the whole fused pass. */
  readonly elapsedMs: number;
  /**
   * The row's logits `[V]`, without padding ids. A view: do not write to it.
   * @throws `ROW_FREED` once the row was committed or discarded; `INVALID_LOGITS` when the row holds NaN.
   */
  logits(row: number): Promise<Float32Array>;
  /** The id of the largest logit, the lowest id among equals. @throws as {@link Pass.logits} */
  argmax(row: number): Promise<TokenId>;
  /** The `k` largest logits. @throws as {@link Pass.logits} */
  topK(row: number, k: number): Promise<TopK>;
  /** Natural log of the sum of exponentials of the row. @throws as {@link Pass.logits} */
  logSumExp(row: number): Promise<number>;
  /** Hidden states `[T, D]` of all rows of the call; owned by the pass. */
  hidden(site: HiddenSite): DeviceTensor;
}

/** Where a branch starts: a length of the committed text, or the path that ends in a pending row. */
export interface BranchOptions {
  readonly at?: number | PendingRow;
}

/**
 * One text in the model's cache, and the only way to the target.
 *
 * `tokens` are exactly the rows in the cache. A decoding loop holds one more token, the *root*: decided, not fed yet.
 */
export interface Session {
  readonly model: Model;
  /** The committed text, one token for each cached row. A live view. */
  readonly tokens: readonly TokenId[];
  /** Rows run and neither committed nor discarded. */
  readonly pendingCount: number;
  readonly isDisposed: boolean;
  /** The layers that the row at `position` of the text ran, `undefined` for all. */
  layersAt(position: number): LayerSet | undefined;
  /**
   * Runs rows through the model. Calls that wait at the same time on sessions of one model become one pass.
   *
   * @param rows - At least one row, parents before children.
   * @throws `INVALID_ROW`, `UNKNOWN_TOKEN`, `CONTEXT_FULL` (position at the context limit), `POOL_FULL` (no cache slots),
   * `CACHE_HOLE`, `ABORTED`, `DISPOSED`. Nothing is pending that was not pending before.
   */
  forward(rows: readonly RowInput[], wants?: Wants): Promise<Pass>;
  /**
   * Makes rows text: `path` is a chain of pending rows that starts at the end of the text. Every other pending row is
   * freed, except those in `keep`.
   */
  commit(path: readonly PendingRow[], options?: { readonly keep?: readonly PendingRow[] }): void;
  /** Frees pending rows (all by default) and what descends from them. */
  discard(rows?: readonly PendingRow[]): void;
  /** Forgets all text behind `length` tokens, and all pending rows. */
  truncate(length: number): void;
  /** A new session that shares this one's cached rows; the caller disposes it. */
  branch(options?: BranchOptions): Session;
  /** Takes over the text of a branch of the same pool; the branch stays valid until disposed. Pending rows of this session are freed. */
  adopt(branch: Session): void;
  /** Calls `listener` once, when the session is disposed; for what lives as long as its text. */
  onDispose(listener: () => void): void;
  /** Frees all rows. Calling it twice is harmless. */
  dispose(): void;
}
