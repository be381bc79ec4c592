import type { TokenId } from "@foretoken/core";
import type { SlotPool } from "./slot-pool.ts";

/** Where a scripted model waits: a call waits for its pass, a pass runs, a caller reads from a pass. */
export type AwaitPoint = "queue" | "run" | "read";

/** Things that go wrong on purpose. Change them at any time. */
export interface Faults {
  /** Positions whose rows have NaN logits. */
  nanAt?: (position: number) => boolean;
  /** The pass, counted from 1 over the model's life, that fails with `DEVICE_FAILED`. */
  throwAtPass?: number;
  /** Milliseconds every pass takes. */
  delayMs?: number;
  /** Called at every place where the model waits, before it does. */
  onAwait?: (point: AwaitPoint) => void;
}

/** One row of a pass, as it was run. */
export interface RowRecord {
  readonly token: TokenId | undefined;
  readonly position: number;
}

/** One pass, as it was run. */
export interface PassRecord {
  /** Calls to `forward` that were fused into it. */
  readonly calls: number;
  readonly rows: readonly RowRecord[];
}

/** What a test may look at and break in a scripted model. */
export interface Inspection {
  /** Target passes run. */
  readonly passes: number;
  /** Calls to `forward` that were answered; more than `passes` when some were fused. */
  readonly calls: number;
  /** Rows run. */
  readonly rows: number;
  /** Pending rows of all sessions now. */
  readonly pendingRows: number;
  /** Cache slots in use now. */
  readonly liveSlots: number;
  /** Sessions not disposed now. */
  readonly liveSessions: number;
  /** Every pass, when the model was made with `record`. */
  readonly log: readonly PassRecord[];
  readonly faults: Faults;
}

/** An {@link Inspection} that the model counts in. */
export class Counters implements Inspection {
  passes = 0;
  calls = 0;
  rows = 0;
  pendingRows = 0;
  liveSessions = 0;
  readonly log: PassRecord[] = [];
  readonly faults: Faults = {};
  readonly #pool: SlotPool;

  constructor(pool: SlotPool) {
    this.#pool = pool;
  }

  get liveSlots(): number {
    return this.#pool.live;
  }
}
