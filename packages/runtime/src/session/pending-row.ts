import type { PendingRow, Session, TokenId } from "@foretoken/core";
import type { Slot } from "../pool/slot-pool.ts";

/** A row from the pass that ran it until it is text or freed. */
export class RuntimePendingRow implements PendingRow {
  readonly token: TokenId | undefined;
  readonly position: number;
  readonly session: Session;
  readonly slot: Slot;
  /** The row it follows, pending or text by now; `undefined` when it followed the text. */
  readonly parent: RuntimePendingRow | undefined;
  #state: "pending" | "text" | "freed" = "pending";
  readonly #onGone: () => void;

  constructor(
    session: Session,
    token: TokenId | undefined,
    position: number,
    parent: RuntimePendingRow | undefined,
    slot: Slot,
    onGone: () => void,
  ) {
    this.session = session;
    this.token = token;
    this.position = position;
    this.parent = parent;
    this.slot = slot;
    this.#onGone = onGone;
  }

  get state(): "pending" | "text" | "freed" {
    return this.#state;
  }

  /** Ends the pending time of a row; what its pass holds for it may go. */
  become(state: "text" | "freed"): void {
    this.#state = state;
    this.#onGone();
  }

  /** The pending rows from this one upwards, itself first; the last one follows the text at its position. */
  get path(): RuntimePendingRow[] {
    const rows: RuntimePendingRow[] = [];
    for (let row: RuntimePendingRow | undefined = this; row?.state === "pending"; row = row.parent)
      rows.push(row);
    return rows;
  }
}
