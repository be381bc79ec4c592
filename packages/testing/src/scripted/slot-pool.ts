import { DecodingError } from "@foretoken/core";
import type { ContextNode } from "./context-node.ts";

/** The cache of a scripted model: numbered slots that hold one row each and are shared by reference count. */
export class SlotPool {
  readonly capacity: number;
  readonly #nodes: (ContextNode | undefined)[] = [];
  readonly #references: number[] = [];
  readonly #free: number[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Slots in use. */
  get live(): number {
    return this.#nodes.length - this.#free.length;
  }

  /** Slots that `allocate` can still give. */
  get room(): number {
    return this.capacity - this.live;
  }

  /** Puts a row into a slot with one reference. */
  allocate(node: ContextNode): number {
    if (this.room < 1) {
      throw new DecodingError("POOL_FULL", {
        message: `All ${this.capacity} cache rows are in use.`,
        fix: "Dispose sessions that are done, or give the model more poolRows.",
      });
    }
    const slot = this.#free.pop() ?? this.#nodes.length;
    this.#nodes[slot] = node;
    this.#references[slot] = 1;
    return slot;
  }

  retain(slot: number): void {
    this.#references[slot]!++;
  }

  /** Gives one reference back; the last one empties the slot. */
  release(slot: number): void {
    if (--this.#references[slot]! > 0) return;
    this.#nodes[slot] = undefined;
    this.#free.push(slot);
  }

  /** The row in a slot that is in use. */
  node(slot: number): ContextNode {
    return this.#nodes[slot]!;
  }
}
