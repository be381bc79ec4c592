import type { HiddenSite, LayerSet, TokenId, Wants } from "@foretoken/core";
import type { OutputRows } from "../device/backend.ts";
import { inTurn } from "../device/run-queue.ts";
import type { Slot, SlotPool } from "../pool/slot-pool.ts";
import type { VisibleText } from "../pool/visibility.ts";
import { layersKey } from "./layer-sets.ts";
import type { RuntimePendingRow } from "./pending-row.ts";
import { RuntimePass } from "./runtime-pass.ts";
import { aborted, disposed } from "./session-errors.ts";

/** One row of a call, checked and placed. */
export interface PlannedRow {
  readonly token?: number;
  readonly embedding?: Float32Array;
  readonly integers?: Readonly<Record<string, number>>;
  /** The rows that some of `integers` name: indices in the call, and in the pass once calls are fused. */
  readonly ancestors?: Readonly<Record<string, number>>;
  readonly vectors?: Readonly<Record<string, Float32Array>>;
  readonly feature?: Float32Array;
  readonly position: number;
}

/** What a call to `forward` brings to its pass. */
export interface Call {
  readonly rows: readonly PlannedRow[];
  /** Rows whose logits are wanted. */
  readonly logitRows: readonly number[];
  readonly layers: LayerSet | undefined;
  readonly wants: Wants;
  readonly isDisposed: () => boolean;
  /** What the rows see; `slots` are their own. */
  sees(slots: readonly Slot[]): VisibleText;
  /** Makes the rows pending; `onGone` is called once for each that no longer is. */
  take(slots: readonly Slot[], onGone: () => void): readonly RuntimePendingRow[];
}

/** Several calls as one pass, rows in order. */
export interface FusedPass {
  readonly rows: readonly PlannedRow[];
  readonly texts: readonly VisibleText[];
  readonly slots: readonly Slot[];
  readonly layers: LayerSet | undefined;
  /** Indices into `rows`. */
  readonly logitRows: readonly number[];
  readonly hidden: readonly HiddenSite[];
}

/** The logits of one row, which may lie on the device. */
export interface LogitsRow {
  /** Whether they lie in the memory of JavaScript. */
  readonly isHost: boolean;
  /** `[V]`; from the device in a turn of its own, which the caller must have. */
  read(): Float32Array | Promise<Float32Array>;
  /** What the device made of them. */
  readonly reduced?: {
    readonly argmax: TokenId;
    /** NaN when any logit is. */
    readonly logSumExp: number;
    /** The largest logits, best first, and their ids. */
    readonly topLogits: Float32Array;
    readonly topIds: Int32Array;
  };
}

/** What a pass returned. */
export interface FusedResult {
  /** `[R]`, in the order of `logitRows`. */
  readonly logits: readonly LogitsRow[];
  /** `T` rows each. */
  readonly hidden: ReadonlyMap<HiddenSite, OutputRows>;
  /** Frees what lies on the device. */
  dispose(): void;
}

/** Runs passes; may throw `DEVICE_FAILED`. */
export type RunPass = (pass: FusedPass) => Promise<FusedResult>;

interface Waiting {
  readonly call: Call;
  readonly resolve: (pass: RuntimePass) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows beyond which calls are not fused: by then a pass costs as much as its rows. */
const MOST_FUSED_ROWS = 512;

/** Collects the calls that wait at the same time and runs them as one pass, one layer set at a time. */
export class PassQueue {
  readonly #pool: SlotPool;
  readonly #run: RunPass;
  #waiting: Waiting[] = [];
  #isDraining = false;
  #isClosed = false;

  constructor(pool: SlotPool, run: RunPass) {
    this.#pool = pool;
    this.#run = run;
  }

  /** Answers a call with the next pass that fits it. */
  enqueue(call: Call): Promise<RuntimePass> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      if (!this.#isDraining) {
        this.#isDraining = true;
        void this.#drain();
      }
    });
  }

  /** Rejects the calls that wait; the pass that runs is the last one. */
  close(): void {
    this.#isClosed = true;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // A turn of the event loop: loops that wake together get to their next call, and timers get to abort.
      await nextTurn();
      await inTurn(() => this.#pass());
    }
    this.#isDraining = false;
  }

  async #pass(): Promise<void> {
    const admitted: { waiting: Waiting; slots: readonly Slot[] }[] = [];
    this.#pool.compact();
    for (const waiting of this.#next()) {
      const { rows, layers } = waiting.call;
      try {
        this.#mayRun(waiting.call);
        admitted.push({ waiting, slots: this.#pool.allocate(rows.length, layers) });
      } catch (error) {
        waiting.reject(error);
      }
    }
    if (admitted.length === 0) return;
    const began = performance.now();
    try {
      const pass = fuse(admitted.map(({ waiting, slots }) => ({ call: waiting.call, slots })));
      const result = await this.#run(pass);
      this.#answer(admitted, result, performance.now() - began);
    } catch (error) {
      for (const { waiting, slots } of admitted) {
        for (const slot of slots) this.#pool.release(slot);
        waiting.reject(error);
      }
    }
  }

  /** Takes the first call, and what fits it of the others. */
  #next(): Waiting[] {
    const [first, ...others] = this.#waiting;
    const taken = [first];
    const key = layersKey(first.call.layers);
    let rows = first.call.rows.length;
    for (const waiting of others) {
      const fits = rows + waiting.call.rows.length <= MOST_FUSED_ROWS;
      if (!fits || layersKey(waiting.call.layers) !== key) continue;
      taken.push(waiting);
      rows += waiting.call.rows.length;
    }
    this.#waiting = this.#waiting.filter((waiting) => !taken.includes(waiting));
    return taken;
  }

  #mayRun({ wants: { signal }, isDisposed }: Call): void {
    if (this.#isClosed) throw disposed("model");
    if (isDisposed()) throw disposed("session");
    if (signal?.aborted) throw aborted(signal);
  }

  #answer(
    admitted: readonly { waiting: Waiting; slots: readonly Slot[] }[],
    result: FusedResult,
    elapsedMs: number,
  ): void {
    let row = 0;
    let logitRow = 0;
    let held = admitted.reduce((sum, { slots }) => sum + slots.length, 0);
    const letGo = (rows: number) => {
      held -= rows;
      if (held === 0) result.dispose();
    };
    for (const { waiting, slots } of admitted) {
      const { call, resolve, reject } = waiting;
      const logits = new Map(call.logitRows.map((index) => [index, result.logits[logitRow++]]));
      const start = row;
      row += call.rows.length;
      try {
        this.#mayRun(call);
      } catch (error) {
        for (const slot of slots) this.#pool.release(slot);
        letGo(slots.length);
        reject(error);
        continue;
      }
      const sites = call.wants.hidden ?? [];
      const hidden = new Map(sites.map((site) => [site, { output: result.hidden.get(site)!, first: start }]));
      const rows = call.take(slots, () => letGo(1));
      resolve(new RuntimePass({ rows, logits, hidden, elapsedMs }));
    }
  }
}

function fuse(calls: readonly { call: Call; slots: readonly Slot[] }[]): FusedPass {
  const rows: PlannedRow[] = [];
  const logitRows: number[] = [];
  for (const { call } of calls) {
    const start = rows.length;
    for (const row of call.logitRows) logitRows.push(start + row);
    for (const row of call.rows) rows.push(row.ancestors ? behind(start, row) : row);
  }
  return {
    rows,
    texts: calls.map(({ call, slots }) => call.sees(slots)),
    slots: calls.flatMap(({ slots }) => slots),
    layers: calls[0].call.layers,
    logitRows,
    hidden: [...new Set(calls.flatMap(({ call }) => call.wants.hidden ?? []))],
  };
}

/** A row of a call that `start` rows of other calls precede. */
function behind(start: number, row: PlannedRow): PlannedRow {
  const ancestors = Object.entries(row.ancestors!).map(([name, index]) => [name, start + index]);
  return { ...row, ancestors: Object.fromEntries(ancestors) };
}

function nextTurn(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
