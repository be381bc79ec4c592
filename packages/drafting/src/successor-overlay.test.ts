import fc from "fast-check";
import { expect, test } from "vitest";
import { SuccessorOverlay } from "./successor-overlay.ts";
import type { SuccessorRow } from "./successor-table.ts";

const BASE: SuccessorRow = { ids: Int32Array.of(4, 7), weights: Float32Array.of(0.5, 0.25), total: 1 };
const overlay = (options = {}) =>
  new SuccessorOverlay({ base: (key) => (key === 1 ? BASE : undefined), ...options });
const shown = (rows: SuccessorOverlay, key: number) => {
  const row = rows.row(key);
  return row && { ids: [...row.ids], weights: [...row.weights], total: row.total };
};

test("a row is the shared one until something is added, and the shared one never changes", () => {
  const rows = overlay();
  expect(rows.row(1)).toBe(BASE);
  rows.add(1, 7, 0.5);
  expect(shown(rows, 1)).toEqual({ ids: [7, 4], weights: [0.75, 0.5], total: 1.5 });
  expect([...BASE.ids, ...BASE.weights]).toEqual([4, 7, 0.5, 0.25]);
  expect(shown(overlay(), 1)).toEqual({ ids: [4, 7], weights: [0.5, 0.25], total: 1 });
});

test("unknown rows and successors begin with what is added, up to the most", () => {
  const rows = overlay();
  for (let times = 0; times < 4; times++) rows.add(2, 9, 0.5, 1.75);
  expect(shown(rows, 2)).toEqual({ ids: [9], weights: [1.75], total: 1.75 });
  rows.add(1, 4, 0.25, 0.3);
  expect(rows.row(1)!.weights[0], "heavier than the most already").toBe(0.5);
});

test("what is unknown of an empty row can have a weight", () => {
  const rows = overlay({ unknown: 1 });
  rows.add(2, 9, 0.5);
  expect(shown(rows, 2)).toEqual({ ids: [9], weights: [0.5], total: 1.5 });
});

test("a full row loses its lightest successor, never the new one", () => {
  const rows = overlay({ successors: 2 });
  rows.add(1, 5, 0.125);
  expect(shown(rows, 1)!.ids).toEqual([4, 5]);
});

test("rows written longest ago are forgotten first", () => {
  const rows = overlay({ maxRows: 2 });
  for (const key of [2, 3, 2, 4]) rows.add(key, 0, 1);
  expect([2, 3, 4].map((key) => rows.row(key) !== undefined)).toEqual([true, false, true]);
  expect(rows.size).toBe(2);
});

test("rows stay sorted by weight and id, and copies go their own ways", () => {
  const step = fc.record({ copy: fc.boolean(), key: fc.nat(2), token: fc.nat(5), weight: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const first = overlay();
      const models = [new Map<string, number>(), new Map<string, number>()];
      for (const { key, token, weight } of steps) {
        first.add(key, token, weight + 1);
        for (const model of models) {
          const name = `${key} ${token}`;
          const old = model.get(name) ?? (key === 1 ? ({ 4: 0.5, 7: 0.25 }[token] ?? 0) : 0);
          model.set(name, old + weight + 1);
        }
      }
      const second = first.fork();
      const both = [first, second];
      for (const { copy, key, token, weight } of steps) {
        both[copy ? 1 : 0]!.add(key, token, weight + 1);
        const model = models[copy ? 1 : 0]!;
        model.set(`${key} ${token}`, model.get(`${key} ${token}`)! + weight + 1);
      }
      for (const [index, rows] of both.entries()) {
        for (const [name, weight] of models[index]!) {
          const [key, token] = name.split(" ").map(Number);
          const row = rows.row(key!)!;
          expect(row.weights[row.ids.indexOf(token!)]).toBe(weight);
          const places = [...row.ids.keys()].slice(1);
          for (const place of places) {
            const [before, here] = [row.weights[place - 1]!, row.weights[place]!];
            expect(before > here || (before === here && row.ids[place - 1]! < row.ids[place]!)).toBe(true);
          }
        }
      }
    }),
  );
});
