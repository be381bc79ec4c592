import { DecodingError, type LayerSet } from "@foretoken/core";
import type { RowStore } from "./row-store.ts";

/** A row in the cache. Its place may change between passes; holders keep the slot, never the index. */
export interface Slot {
  /** Where the row lies now. */
  readonly index: number;
  /** The layers it was computed with; `undefined` means all. */
  readonly layers: LayerSet | undefined;
}

interface OwnedSlot extends Slot {
  index: number;
  references: number;
}

/**
 * Which rows of a {@link RowStore} are in use, by how many holders.
 *
 * A pass appends its rows behind all others, because new rows must lie side by side. When too many rows have died in
 * between, the last ones take their places before the next pass.
 */
export class SlotPool {
  /** Most rows that may be in use at once. */
  readonly limit: number;
  readonly store: RowStore;
  readonly #slots: (OwnedSlot | undefined)[] = [];
  #live = 0;
  #hasPartialRows = false;

  constructor(store: RowStore, limit: number) {
    this.store = store;
    this.limit = limit;
  }

  /** Rows in use. */
  get live(): number {
    return this.#live;
  }

  /** Rows that can still be allocated. */
  get room(): number {
    return this.limit - this.#live;
  }

  /** Whether any row was ever computed with some layers only; until then no one need look for holes. */
  get hasPartialRows(): boolean {
    return this.#hasPartialRows;
  }

  /** One more than the highest index in use; what a pass must look at. */
  get extent(): number {
    return this.#slots.length;
  }

  /**
   * Takes `count` slots behind all others, one reference each. Call {@link compact} first.
   *
   * @throws `DecodingError` `POOL_FULL`
   */
  allocate(count: number, layers: LayerSet | undefined): Slot[] {
    if (count > this.room) {
      throw new DecodingError("POOL_FULL", {
        message: `The pass needs ${count} cache rows, and ${this.room} of ${this.limit} are free.`,
        fix: "Dispose sessions that are done, or load the model with more poolRows.",
      });
    }
    this.store.grow(this.#slots.length + count);
    this.#live += count;
    this.#hasPartialRows ||= layers !== undefined;
    return Array.from({ length: count }, () => {
      const slot: OwnedSlot = { index: this.#slots.length, references: 1, layers };
      this.#slots.push(slot);
      return slot;
    });
  }

  retain(slot: Slot): void {
    (slot as OwnedSlot).references++;
  }

  /** Gives one reference back; the last one frees the row. */
  release(slot: Slot): void {
    const owned = slot as OwnedSlot;
    if (--owned.references > 0) return;
    this.#slots[owned.index] = undefined;
    this.#live--;
    while (this.#slots.length > 0 && this.#slots[this.#slots.length - 1] === undefined) this.#slots.pop();
  }

  /** Moves the last rows into the holes that freed rows left, where that pays. Not while a pass runs. */
  compact(): void {
    if (this.#live >= this.store.leastAlive * this.#slots.length) return;
    const target = this.#live;
    for (let hole = 0; this.#slots.length > target; hole++) {
      if (this.#slots[hole] !== undefined) continue;
      const slot = this.#slots.pop()!;
      this.store.move(slot.index, hole);
      slot.index = hole;
      this.#slots[hole] = slot;
      while (this.#slots[this.#slots.length - 1] === undefined && this.#slots.length > target)
        this.#slots.pop();
    }
  }
}
