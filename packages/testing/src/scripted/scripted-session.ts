import {
  type BranchOptions,
  DecodingError,
  type LayerSet,
  type Pass,
  type PendingRow,
  type RowInput,
  type Session,
  type TokenId,
  type Wants,
} from "@foretoken/core";
import type { ContextNode } from "./context-node.ts";
import { aborted, disposed, type PassQueue } from "./pass-queue.ts";
import type { ScriptedMachine } from "./scripted-machine.ts";
import type { ScriptedModel } from "./scripted-model.ts";
import { ScriptedPendingRow } from "./scripted-row.ts";

/** What a session needs of the model that made it. */
export interface SessionHost {
  readonly model: ScriptedModel;
  readonly machine: ScriptedMachine;
  readonly queue: PassQueue;
  /** Refuses what the model cannot do, or what it was not prepared for. */
  check(rows: readonly RowInput[], wants: Wants): void;
  /** Integers by which rows name ancestors, as the prepared graph extensions declare them. */
  ancestorNames(): readonly string[];
  readonly sessions: Set<ScriptedSession>;
}

/** Where a new row hangs: behind a row of the same call, a pending row, or the end of the text. */
interface Place {
  readonly node: ContextNode;
  readonly position: number;
  /** The row of the same call, `undefined` for the others. */
  readonly index?: number;
  readonly pending?: ScriptedPendingRow;
}

/** A session over the slot pool of a scripted model. It holds every caller to the contract. */
export class ScriptedSession implements Session {
  readonly #host: SessionHost;
  readonly #contextLength: number;
  readonly #tokens: TokenId[];
  #slots: number[];
  readonly #pending = new Set<ScriptedPendingRow>();
  readonly #listeners: (() => void)[] = [];
  #inFlight = 0;
  #isDisposed = false;

  constructor(host: SessionHost, contextLength: number, tokens: TokenId[] = [], slots: number[] = []) {
    this.#host = host;
    this.#contextLength = contextLength;
    this.#tokens = tokens;
    this.#slots = slots;
    host.machine.counters.liveSessions++;
    host.sessions.add(this);
  }

  get model(): ScriptedModel {
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
    const slot = this.#slots[position];
    return slot === undefined ? undefined : this.#host.machine.layersOf(slot);
  }

  async forward(rows: readonly RowInput[], wants: Wants = {}): Promise<Pass> {
    this.#mustLive();
    if (wants.signal?.aborted) throw aborted(wants.signal);
    if (rows.length === 0) throw invalidRow("forward() was called with no rows", "Pass at least one row.");
    this.#host.check(rows, wants);
    const missing = Array.isArray(wants.logits)
      ? wants.logits.find((row) => rows[row] === undefined)
      : undefined;
    if (missing !== undefined) {
      throw invalidRow(
        `the logits of row ${missing} were asked for in a call of ${rows.length}`,
        "Name rows of the call.",
      );
    }
    const { machine, queue } = this.#host;
    const layers = machine.bits(wants.layers);
    const places: Place[] = [];
    const nodes: ContextNode[] = [];
    for (const [index, row] of rows.entries()) {
      const place = this.#place(row, index, nodes, places);
      const node = machine.context(place.node, {
        token: row.token,
        embedding: row.embedding,
        layers,
        integers: row.integers,
        vectors: row.vectors,
      });
      if (node.available !== layers) throw cacheHole(node.length - 1, layers & ~node.available);
      places.push(place);
      nodes.push(node);
      for (const name of this.#host.ancestorNames()) mustNameRow(row, index, places, name);
    }
    this.#inFlight++;
    try {
      return await queue.run({
        nodes,
        layers,
        wants,
        isWanted: () => !this.#isDisposed,
        take: (slots) => this.#take(rows, places, slots),
      });
    } finally {
      this.#inFlight--;
    }
  }

  commit(path: readonly PendingRow[], { keep = [] }: { readonly keep?: readonly PendingRow[] } = {}): void {
    this.#mustRest("commit");
    const rows = path.map((row) => this.#own(row));
    let above: ScriptedPendingRow | undefined;
    for (const row of rows) {
      if (row.token === undefined) {
        throw invalidRow(`the probe at position ${row.position} was committed`, "Probes never become text.");
      }
      const follows =
        above === undefined
          ? row.position === this.#tokens.length && row.parentSlot === (this.#slots.at(-1) ?? -1)
          : row.parent === above;
      if (!follows) {
        throw invalidRow(
          `token ${row.token} at position ${row.position} does not follow ${above === undefined ? "the text" : `token ${above.token}`}`,
          "Commit a chain of pending rows that starts at the end of the text.",
        );
      }
      above = row;
    }
    const kept = new Set(keep.map((row) => this.#own(row)));
    for (const row of kept) {
      if (row.parent?.state === "pending" && !kept.has(row.parent) && !rows.includes(row.parent)) {
        throw invalidRow(
          `a row at position ${row.position} is kept, but not the one it follows`,
          "Keep a pending row's ancestors too.",
        );
      }
    }
    for (const row of rows) {
      this.#remove(row, "text");
      this.#tokens.push(row.token!);
      this.#slots.push(row.slot);
    }
    for (const row of this.#pending) if (!kept.has(row)) this.#free(row);
  }

  discard(rows?: readonly PendingRow[]): void {
    this.#mustRest("discard");
    const roots = new Set(rows?.map((row) => this.#own(row)) ?? this.#pending);
    // Rows are pending in the order they were run, so a parent is dropped before its children are looked at.
    for (const row of this.#pending) {
      if (roots.has(row) || row.parent?.state === "freed") this.#free(row);
    }
  }

  truncate(length: number): void {
    this.#mustRest("truncate");
    if (!Number.isInteger(length) || length < 0 || length > this.#tokens.length) {
      throw new DecodingError("INVALID_OPTION", {
        message: `The text was truncated to ${length} tokens, but has ${this.#tokens.length}.`,
        fix: "Pass a length from 0 to the number of tokens.",
      });
    }
    this.discard();
    this.#tokens.length = length;
    for (const slot of this.#slots.splice(length)) this.#host.machine.pool.release(slot);
  }

  branch({ at = this.#tokens.length }: BranchOptions = {}): ScriptedSession {
    this.#mustLive();
    const path: ScriptedPendingRow[] = [];
    let length = at;
    if (typeof length !== "number") {
      for (
        let row: ScriptedPendingRow | undefined = this.#own(length);
        row?.state === "pending";
        row = row.parent
      ) {
        if (row.token === undefined) {
          throw invalidRow(
            `a branch was made at position ${row.position} behind a probe`,
            "Branch at real rows.",
          );
        }
        path.unshift(row);
      }
      length = path[0]!.position;
    }
    if (!Number.isInteger(length) || length < 0 || length > this.#tokens.length) {
      throw new DecodingError("INVALID_OPTION", {
        message: `A branch was made at ${length}, but the text has ${this.#tokens.length} tokens.`,
        fix: "Branch at a length of the text or at a pending row.",
      });
    }
    const slots = [...this.#slots.slice(0, length), ...path.map((row) => row.slot)];
    for (const slot of slots) this.#host.machine.pool.retain(slot);
    const tokens = [...this.#tokens.slice(0, length), ...path.map((row) => row.token!)];
    return new ScriptedSession(this.#host, this.#contextLength, tokens, slots);
  }

  adopt(branch: Session): void {
    this.#mustRest("adopt");
    if (!(branch instanceof ScriptedSession) || branch.model !== this.model) {
      throw new DecodingError("INVALID_OPTION", {
        message: "A session adopted the text of a session of another model.",
        fix: "Adopt a branch of the same model.",
      });
    }
    branch.#mustLive();
    const { pool } = this.#host.machine;
    const slots = [...branch.#slots];
    for (const slot of slots) pool.retain(slot);
    this.discard();
    for (const slot of this.#slots) pool.release(slot);
    this.#slots = slots;
    this.#tokens.splice(0, this.#tokens.length, ...branch.#tokens);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    for (const row of this.#pending) this.#free(row);
    for (const slot of this.#slots) this.#host.machine.pool.release(slot);
    this.#slots = [];
    this.#isDisposed = true;
    this.#host.machine.counters.liveSessions--;
    this.#host.sessions.delete(this);
    for (const listener of this.#listeners.splice(0)) listener();
  }

  onDispose(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Checks one row of a call and finds what it follows. */
  #place(row: RowInput, index: number, nodes: readonly ContextNode[], places: readonly Place[]): Place {
    const { machine } = this.#host;
    if ((row.token === undefined) === (row.embedding === undefined)) {
      throw invalidRow(
        `row ${index} has ${row.token === undefined ? "neither token nor" : "both token and"} embedding`,
        "Give exactly one of them.",
      );
    }
    if (
      row.token !== undefined &&
      !(Number.isInteger(row.token) && row.token >= 0 && row.token < machine.vocabularySize)
    ) {
      throw new DecodingError("UNKNOWN_TOKEN", {
        message: `Row ${index} feeds token ${row.token}, but the vocabulary has ${machine.vocabularySize}.`,
        fix: "Feed ids from 0 to one below the vocabulary's size.",
      });
    }
    if (row.embedding !== undefined && row.embedding.length !== machine.width) {
      throw new DecodingError("SHAPE_MISMATCH", {
        message: `Row ${index} has an embedding of ${row.embedding.length} values, but the model's width is ${machine.width}.`,
        fix: "Pass one value for each dimension of the hidden state.",
      });
    }
    const place = this.#parent(row.parent ?? index - 1, index, nodes, places);
    if (place.position >= this.#contextLength) {
      throw new DecodingError("CONTEXT_FULL", {
        message: `Row ${index} would stand at position ${place.position}, but the context ends at ${this.#contextLength}.`,
        fix: "Truncate the text, or draft no further than the context reaches.",
      });
    }
    return place;
  }

  #parent(
    parent: number | PendingRow,
    index: number,
    nodes: readonly ContextNode[],
    places: readonly Place[],
  ): Place {
    if (typeof parent !== "number") {
      const pending = this.#own(parent);
      return { node: this.#host.machine.pool.node(pending.slot), position: pending.position + 1, pending };
    }
    if (!Number.isInteger(parent) || parent < -1 || parent >= index) {
      throw invalidRow(
        `row ${index} has parent ${parent}`,
        "Use -1 or the index of an earlier row of the call.",
      );
    }
    if (parent >= 0) return { node: nodes[parent]!, position: places[parent]!.position + 1, index: parent };
    const slot = this.#slots.at(-1);
    const { start, pool } = this.#host.machine;
    return { node: slot === undefined ? start : pool.node(slot), position: this.#tokens.length };
  }

  #take(
    inputs: readonly RowInput[],
    places: readonly Place[],
    slots: readonly number[],
  ): ScriptedPendingRow[] {
    const rows: ScriptedPendingRow[] = [];
    const end = this.#slots.at(-1) ?? -1;
    for (const [index, place] of places.entries()) {
      const parent = place.index === undefined ? place.pending : rows[place.index];
      const row = new ScriptedPendingRow(
        this,
        inputs[index]!.token,
        place.position,
        parent,
        parent?.slot ?? end,
        slots[index]!,
      );
      rows.push(row);
      this.#pending.add(row);
    }
    this.#host.machine.counters.pendingRows += rows.length;
    return rows;
  }

  #own(row: PendingRow): ScriptedPendingRow {
    this.#mustLive();
    if (!(row instanceof ScriptedPendingRow) || row.session !== this) {
      throw invalidRow("a row of another session was used", "Use rows of this session's own passes.");
    }
    if (row.state !== "pending") {
      throw new DecodingError("ROW_FREED", {
        message: `The row at position ${row.position} is ${row.state === "text" ? "text already" : "freed"}.`,
        fix: "Use rows that were neither committed nor discarded.",
      });
    }
    return row;
  }

  #remove(row: ScriptedPendingRow, state: "text" | "freed"): void {
    row.state = state;
    this.#pending.delete(row);
    this.#host.machine.counters.pendingRows--;
  }

  #free(row: ScriptedPendingRow): void {
    this.#remove(row, "freed");
    this.#host.machine.pool.release(row.slot);
  }

  #mustLive(): void {
    if (this.#isDisposed) throw disposed("session");
  }

  #mustRest(action: string): void {
    this.#mustLive();
    if (this.#inFlight > 0) {
      throw new DecodingError("SESSION_BUSY", {
        message: `${action}() was called while a pass of the session was under way.`,
        fix: "Await forward() first.",
      });
    }
  }
}

/** Refuses an ancestor that is no row of the call. */
function mustNameRow(row: RowInput, index: number, places: readonly Place[], name: string): void {
  const levels = row.integers?.[name] ?? 0;
  let above: number | undefined = index;
  for (let level = 0; level < levels && above !== undefined; level++) above = places[above]!.index;
  if (above !== undefined && levels >= 0) return;
  throw invalidRow(
    `row ${index} names the row ${levels} above it in "${name}", which is not a row of the call`,
    "Name an ancestor of the same call; 0 is the row itself.",
  );
}

function invalidRow(fault: string, fix: string): DecodingError {
  return new DecodingError("INVALID_ROW", { message: `Not a legal use of rows: ${fault}.`, fix });
}

function cacheHole(position: number, missing: number): DecodingError {
  const layers = Array.from({ length: 31 }, (_, layer) => layer).filter(
    (layer) => (missing >> layer) % 2 === 1,
  );
  return new DecodingError("CACHE_HOLE", {
    message: `The row at position ${position} needs layers ${layers.join(", ")} of rows that were run without them.`,
    fix: "Run no layer that a visible row skipped, or run those rows again.",
  });
}
