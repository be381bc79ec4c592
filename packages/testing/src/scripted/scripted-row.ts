import type { PendingRow, Session, TokenId } from "@foretoken/core";

/** A row of a scripted session, from the pass that ran it until it is text or freed. */
export class ScriptedPendingRow implements PendingRow {
  readonly token: TokenId | undefined;
  readonly position: number;
  readonly session: Session;
  /** The slot it follows, -1 at the start of a text. */
  readonly parentSlot: number;
  /** The row it follows, when that was pending too. */
  readonly parent: ScriptedPendingRow | undefined;
  readonly slot: number;
  state: "pending" | "text" | "freed" = "pending";

  constructor(
    session: Session,
    token: TokenId | undefined,
    position: number,
    parent: ScriptedPendingRow | undefined,
    parentSlot: number,
    slot: number,
  ) {
    this.session = session;
    this.token = token;
    this.position = position;
    this.parent = parent;
    this.parentSlot = parentSlot;
    this.slot = slot;
  }
}
