import {
  type BranchOptions,
  DecodingError,
  type LayerSet,
  type Model,
  type Pass,
  type PendingRow,
  type RowInput,
  type Session,
  type TokenId,
  type Wants,
} from "@foretoken/core";
import type { ExtensionInputs } from "../graph/extension-inputs.ts";
import type { Slot, SlotPool } from "../pool/slot-pool.ts";
import type { VisibleText } from "../pool/visibility.ts";
import { checkRow } from "./check-row.ts";
import { holeIn, normalLayers } from "./layer-sets.ts";
import type { PassQueue, PlannedRow } from "./pass-queue.ts";
import { RuntimePendingRow } from "./pending-row.ts";
import { ancestorsOf, cutPass } from "./row-ancestors.ts";
import { aborted, disposed, invalidRow, rowFreed } from "./session-errors.ts";

/** What a session needs of the model that made it. */
export interface SessionHost {
  readonly model: Model;
  readonly pool: SlotPool;
  readonly queue: PassQueue;
  /** All live sessions; each removes itself. */
  readonly sessions: Set<RuntimeSession>;
  /** What the graph takes of rows besides tokens, and the most rows it runs at once. */
  readonly graph: { readonly inputs: ExtensionInputs; readonly mostRows: number };
  /** Throws `UNSUPPORTED` for what the graph was not prepared for. */
  check(rows: readonly RowInput[], wants: Wants): void;
}

/** Where a row hangs. */
interface Place {
  readonly position: number;
  /** Earlier row of the same call. */
  readonly parent?: number;
  /** Row of an earlier pass. */
  readonly pending?: RuntimePendingRow;
}

/** A text in the slot pool of a model. */
export class RuntimeSession implements Session {
  readonly #host: SessionHost;
  readonly #contextLength: number;
  readonly #tokens: TokenId[];
  readonly #slots: Slot[];
  readonly #pending = new Set<RuntimePendingRow>();
  readonly #listeners: (() => void)[] = [];
  #inFlight = 0;
  #isDisposed = false;

  /** @param slots - Slots of `tokens`, one reference each; the session gives them back. */
  constructor(host: SessionHost, contextLength: number, tokens: TokenId[] = [], slots: Slot[] = []) {
    this.#host = host;
    this.#contextLength = contextLength;
    this.#tokens = tokens;
    this.#slots = slots;
    host.sessions.add(this);
  }

  get model(): Model {
    return this.#host.model;
  }

  get tokens(): readonly TokenId[] {
    return this.#tokens;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  layersAt(position: number): LayerSet | undefined {
    return this.#slots[position]?.layers;
  }

  async forward(rows: readonly RowInput[], wants: Wants = {}): Promise<Pass> {
    this.#mustLive();
    if (wants.signal?.aborted) throw aborted(wants.signal);
    if (rows.length === 0) throw invalidRow("forward() was called with no rows", "Pass at least one row.");
    this.#host.check(rows, wants);
    const layers = normalLayers(wants.layers, this.model.layers);
    const logitRows = logitRowsOf(wants, rows.length);
    const places: Place[] = [];
    for (const [index, row] of rows.entries()) places.push(this.#place(row, index, places));
    const sees = (slots: readonly Slot[]) => this.#sees(places, slots);
    this.#mustSeeNoHole(places, layers);
    const planned = this.#plan(rows, places);
    this.#inFlight++;
    try {
      return await this.#host.queue.enqueue({
        rows: planned,
        logitRows,
        layers,
        wants,
        sees,
        isDisposed: () => this.#isDisposed,
        take: (slots, onGone) => this.#take(rows, places, slots, onGone),
      });
    } finally {
      this.#inFlight--;
    }
  }

  commit(path: readonly PendingRow[], { keep = [] }: { readonly keep?: readonly PendingRow[] } = {}): void {
    this.#mustRest("commit");
    const rows = path.map((row) => this.#own(row));
    rows.forEach((row, index) => {
      if (row.token === undefined) {
        throw invalidRow(
          `the injected embedding at position ${row.position} was committed`,
          "Commit rows that fed a token.",
        );
      }
      const before = rows[index - 1];
      const follows = before ? row.parent === before : this.#followsText(row);
      if (!follows) {
        throw invalidRow(
          `token ${row.token} at position ${row.position} does not follow ${before ? `token ${before.token}` : "the text"}`,
          "Commit a chain of pending rows that starts at the end of the text.",
        );
      }
    });
    const kept = new Set(keep.map((row) => this.#own(row)));
    for (const row of kept) {
      if (row.parent?.state === "pending" && !kept.has(row.parent) && !rows.includes(row.parent)) {
        throw invalidRow(
          `the row at position ${row.position} is kept, but not the one it follows`,
          "Keep a row's pending ancestors too.",
        );
      }
    }
    for (const row of rows) {
      row.become("text");
      this.#pending.delete(row);
      this.#tokens.push(row.token!);
      this.#slots.push(row.slot);
    }
    for (const row of this.#pending) if (!kept.has(row)) this.#free(row);
  }

  discard(rows?: readonly PendingRow[]): void {
    this.#mustRest("discard");
    const roots = new Set(rows?.map((row) => this.#own(row)) ?? this.#pending);
    // Rows are pending in the order they were run, so a parent is freed before its children are looked at.
    for (const row of this.#pending) {
      if (roots.has(row) || row.parent?.state === "freed") this.#free(row);
    }
  }

  truncate(length: number): void {
    this.#mustRest("truncate");
    this.#mustBeLength(length, "The text was truncated to");
    this.discard();
    this.#tokens.length = length;
    // From the end, so that the pool's last rows go first and leave no holes.
    while (this.#slots.length > length) this.#host.pool.release(this.#slots.pop()!);
  }

  branch({ at = this.#tokens.length }: BranchOptions = {}): RuntimeSession {
    this.#mustLive();
    const path = typeof at === "number" ? [] : this.#own(at).path.reverse();
    const probe = path.find(({ token }) => token === undefined);
    if (probe) {
      throw invalidRow(
        `a branch was made behind the injected embedding at position ${probe.position}`,
        "Branch at rows that fed a token.",
      );
    }
    const length = typeof at === "number" ? at : path[0].position;
    this.#mustBeLength(length, "A branch was made at");
    const tokens = [...this.#tokens.slice(0, length), ...path.map((row) => row.token!)];
    const slots = [...this.#slots.slice(0, length), ...path.map((row) => row.slot)];
    for (const slot of slots) this.#host.pool.retain(slot);
    return new RuntimeSession(this.#host, this.#contextLength, tokens, slots);
  }

  adopt(branch: Session): void {
    this.#mustRest("adopt");
    if (!(branch instanceof RuntimeSession) || branch.model !== this.model) {
      throw new DecodingError("INVALID_OPTION", {
        message: "A session adopted the text of a session of another model.",
        fix: "Adopt a branch of the same model.",
      });
    }
    branch.#mustLive();
    if (branch === this) return;
    for (const slot of branch.#slots) this.#host.pool.retain(slot);
    this.truncate(0);
    for (const token of branch.#tokens) this.#tokens.push(token);
    for (const slot of branch.#slots) this.#slots.push(slot);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const row of this.#pending) this.#free(row);
    while (this.#slots.length > 0) this.#host.pool.release(this.#slots.pop()!);
    this.#host.sessions.delete(this);
    for (const listener of this.#listeners.splice(0)) listener();
  }

  onDispose(listener: () => void): void {
    this.#mustLive();
    this.#listeners.push(listener);
  }

  /** Rows as the pass takes them; refuses those that the device could not keep together. */
  #plan(rows: readonly RowInput[], places: readonly Place[]): readonly PlannedRow[] {
    const { inputs, mostRows } = this.#host.graph;
    const parents = places.map(({ parent }) => parent);
    const ancestors = ancestorsOf(rows, parents, inputs.ancestors);
    const planned = rows.map((row, index) => ({
      ...row,
      position: places[index].position,
      ancestors: ancestors[index],
    }));
    cutPass(planned, mostRows);
    return planned;
  }

  /** Checks one row of a call and finds what it follows. */
  #place(row: RowInput, index: number, places: readonly Place[]): Place {
    checkRow(row, index, this.model, this.#host.graph.inputs.vectors);
    const place = this.#parentOf(row.parent ?? index - 1, index, places);
    if (place.position >= this.#contextLength) {
      throw new DecodingError("CONTEXT_FULL", {
        message: `Row ${index} would stand at position ${place.position}, but the context ends at ${this.#contextLength}.`,
        fix: "Truncate the text, or draft no further than the context reaches.",
      });
    }
    return place;
  }

  #parentOf(parent: number | PendingRow, index: number, places: readonly Place[]): Place {
    if (typeof parent !== "number") {
      const pending = this.#own(parent);
      return { position: pending.position + 1, pending };
    }
    if (!Number.isInteger(parent) || parent < -1 || parent >= index) {
      throw invalidRow(
        `row ${index} has parent ${parent}`,
        "Use -1, the index of an earlier row of the call, or a pending row.",
      );
    }
    if (parent >= 0) return { position: places[parent].position + 1, parent };
    return { position: this.#tokens.length };
  }

  #sees(places: readonly Place[], slots: readonly Slot[]): VisibleText {
    return {
      slots: this.#slots,
      rows: places.map(({ parent, pending }, index) => {
        const path = pending?.path ?? [];
        const base = path.length > 0 ? path[path.length - 1].position : this.#slots.length;
        return { slot: slots[index], parent, base, ancestors: path.map((row) => row.slot) };
      }),
    };
  }

  #mustSeeNoHole(places: readonly Place[], layers: Wants["layers"]): void {
    if (!this.#host.pool.hasPartialRows) return;
    for (const { parent, pending } of places) {
      if (parent !== undefined) continue;
      const path = pending?.path ?? [];
      const base = path.length > 0 ? path[path.length - 1].position : this.#slots.length;
      const seen = [...this.#slots.slice(0, base), ...path.map((row) => row.slot)];
      const hole = holeIn(layers, seen);
      if (hole < 0) continue;
      throw new DecodingError("CACHE_HOLE", {
        message: `The pass runs layer ${hole}, but sees rows that were run without it.`,
        fix: "Run no layer that a visible row skipped, or run those rows again with it.",
      });
    }
  }

  #take(
    inputs: readonly RowInput[],
    places: readonly Place[],
    slots: readonly Slot[],
    onGone: () => void,
  ): readonly RuntimePendingRow[] {
    const rows: RuntimePendingRow[] = [];
    for (const [index, { position, parent, pending }] of places.entries()) {
      const above = parent === undefined ? pending : rows[parent];
      const row = new RuntimePendingRow(this, inputs[index].token, position, above, slots[index], onGone);
      rows.push(row);
      this.#pending.add(row);
    }
    return rows;
  }

  /** Whether a row follows the very row that the text ends in, not only one at the same position. */
  #followsText(row: RuntimePendingRow): boolean {
    if (row.position !== this.#tokens.length) return false;
    return row.parent === undefined || row.parent.slot === this.#slots[this.#slots.length - 1];
  }

  #own(row: PendingRow): RuntimePendingRow {
    this.#mustLive();
    if (!(row instanceof RuntimePendingRow) || row.session !== this) {
      throw invalidRow("a row of another session was used", "Use rows of this session's own passes.");
    }
    if (row.state !== "pending") throw rowFreed(row.position, "The place");
    return row;
  }

  #free(row: RuntimePendingRow): void {
    row.become("freed");
    this.#pending.delete(row);
    this.#host.pool.release(row.slot);
  }

  #mustBeLength(length: number, what: string): void {
    if (Number.isInteger(length) && length >= 0 && length <= this.#tokens.length) return;
    throw new DecodingError("INVALID_OPTION", {
      message: `${what} ${length}, but it has ${this.#tokens.length} tokens.`,
      fix: "Give a length from 0 to the number of tokens.",
    });
  }

  #mustLive(): void {
    if (this.#isDisposed) throw disposed("session");
  }

  #mustRest(action: string): void {
    this.#mustLive();
    if (this.#inFlight === 0) return;
    throw new DecodingError("SESSION_BUSY", {
      message: `${action}() was called while a pass of the session was under way.`,
      fix: "Await forward() first.",
    });
  }
}

function logitRowsOf({ logits }: Wants, rows: number): readonly number[] {
  if (logits === undefined) return [];
  if (logits === "all") return Array.from({ length: rows }, (_, row) => row);
  if (logits === "last") return [rows - 1];
  const wrong = logits.find((row) => !Number.isInteger(row) || row < 0 || row >= rows);
  if (wrong !== undefined) {
    throw invalidRow(
      `the logits of row ${wrong} were asked for in a call of ${rows}`,
      "Name rows of the call.",
    );
  }
  return [...new Set(logits)];
}
