import { expect, test } from "vitest";
import { KeyValueCache } from "./key-value-cache.ts";
import { type Slot, SlotPool } from "./slot-pool.ts";

const config = { layers: 2, keyValueHeads: 1, headSize: 2 } as ConstructorParameters<typeof KeyValueCache>[0];

/** Marks the row of a slot in every buffer. */
function mark(cache: KeyValueCache, slot: Slot, value: number): void {
  for (let layer = 0; layer < cache.layers; layer++) {
    cache.keys(layer, slot.index, 1).fill(value);
    cache.values(layer, slot.index, 1).fill(-value);
  }
}

function marks(cache: KeyValueCache, slots: readonly Slot[]): number[] {
  return slots.map(({ index }) => cache.keys(1, index, 1)[1] - cache.values(0, index, 1)[0]);
}

test("rows that died in between are replaced by the last ones, and keep their contents", () => {
  const cache = new KeyValueCache(config);
  const pool = new SlotPool(cache, 100);
  const slots = pool.allocate(8, undefined);
  for (const [i, slot] of slots.entries()) mark(cache, slot, i);
  for (const dead of [1, 3, 7]) pool.release(slots[dead]);
  const alive = [0, 2, 4, 5, 6];
  pool.compact();
  expect(pool.extent).toBe(5);
  expect(alive.map((i) => slots[i].index).sort()).toEqual([0, 1, 2, 3, 4]);
  expect(
    marks(
      cache,
      alive.map((i) => slots[i]),
    ),
  ).toEqual(alive.map((i) => 2 * i));
  expect(pool.allocate(1, undefined)[0].index).toBe(5);
});

test("a row is freed by its last holder", () => {
  const pool = new SlotPool(new KeyValueCache(config), 3);
  const [first, second] = pool.allocate(2, undefined);
  pool.retain(first);
  pool.release(second);
  pool.release(first);
  expect([pool.live, pool.room, pool.extent]).toEqual([1, 2, 1]);
  pool.release(first);
  expect([pool.live, pool.extent]).toEqual([0, 0]);
  expect(() => pool.allocate(4, undefined)).toThrow(/needs 4 cache rows, and 3 of 3 are free/);
});

test("buffers grow by whole steps and keep their rows", () => {
  const cache = new KeyValueCache(config);
  const pool = new SlotPool(cache, 1000);
  const slots = pool.allocate(256, undefined);
  for (const [i, slot] of slots.entries()) mark(cache, slot, i);
  pool.allocate(1, undefined);
  expect(cache.capacity).toBe(512);
  expect(marks(cache, slots)).toEqual(slots.map((_, i) => 2 * i));
});
