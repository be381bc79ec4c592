import type { RowInput, Session } from "@foretoken/core";
import { expect } from "vitest";
import type { Check } from "./check.ts";
import { coded, type ModelBench, type ModelCheck, rowsOf } from "./model-bench.ts";

/** What is refused, with which code, and that nothing stays behind. */
export function modelRefusalChecks(check: ModelCheck): Check[] {
  return [
    check("B3: the last position of the context can be used, the next one not", contextEnd),
    check("calls that break the contract have a code and leave nothing behind", refusals),
    check("rows that are text or freed cannot be read or used", freedRows),
    check("E1: an aborted call leaves nothing behind", aborts),
    check("the text cannot change while a pass is under way", busy),
    check("a disposed session answers with a code, twice dispose is harmless", disposedSession),
    check("what the model cannot do is said, and not prepared", unsupported),
  ];
}

async function contextEnd(bench: ModelBench): Promise<void> {
  const session = bench.track(bench.model.createSession({ contextLength: 4 }));
  session.commit((await session.forward(rowsOf(bench.text(4)))).rows);
  await expect(session.forward([{ token: 0 }])).rejects.toEqual(coded("CONTEXT_FULL"));
  session.truncate(3);
  await expect(session.forward(rowsOf([0, 1]))).rejects.toEqual(coded("CONTEXT_FULL"));
  expect(session.pendingCount).toBe(0);
  const pass = await session.forward([{ token: 0 }], { logits: "all" });
  await bench.expectLaw(pass, 0, [...bench.text(3), 0]);
}

async function refusals(bench: ModelBench): Promise<void> {
  const { vocabularySize, layers } = bench.model;
  const session = await bench.session(bench.text(2));
  const stranger = await (await bench.session([])).forward([{ token: 0 }]);
  const refused: readonly (readonly [string, RowInput[], Parameters<Session["forward"]>[1]?])[] = [
    ["INVALID_ROW", []],
    ["INVALID_ROW", [{}]],
    ["INVALID_ROW", [{ token: 0, parent: 0 }]],
    ["INVALID_ROW", [{ token: 0, parent: -2 }]],
    ["INVALID_ROW", [{ token: 0, parent: 1 }, { token: 0 }]],
    ["INVALID_ROW", [{ token: 0, parent: stranger.rows[0] }]],
    ["INVALID_ROW", [{ token: 0 }], { logits: [1] }],
    ["UNKNOWN_TOKEN", [{ token: vocabularySize }]],
    ["UNKNOWN_TOKEN", [{ token: -1 }]],
    ["UNKNOWN_TOKEN", [{ token: 0.5 }]],
    ["UNSUPPORTED", [{ token: 0 }], { hidden: [layers + 7] }],
    ["UNSUPPORTED", [{ token: 0, integers: { nobodyAskedForThis: 1 } }]],
  ];
  for (const [code, rows, wants] of refused) {
    await expect(session.forward(rows, wants), JSON.stringify(rows)).rejects.toEqual(coded(code));
    expect(session.pendingCount).toBe(0);
  }
  expect(() => session.commit([stranger.rows[0]!])).toThrow(coded("INVALID_ROW"));
  const { rows } = await session.forward([{ token: 0 }, { token: 1 }]);
  expect(() => session.commit([rows[1]!]), "a path that does not start at the text").toThrow(
    coded("INVALID_ROW"),
  );
  expect(session.tokens).toEqual(bench.text(2));
}

async function freedRows(bench: ModelBench): Promise<void> {
  const session = await bench.session([]);
  const pass = await session.forward(rowsOf(bench.text(3)), { logits: "all" });
  session.discard([pass.rows[1]!]);
  await expect(pass.logits(2), "what descends from a discarded row").rejects.toEqual(coded("ROW_FREED"));
  expect((await pass.logits(0)).length).toBe(bench.model.vocabularySize);
  session.commit([pass.rows[0]!]);
  await expect(pass.logits(0)).rejects.toEqual(coded("ROW_FREED"));
  await expect(session.forward([{ token: 0, parent: pass.rows[0] }])).rejects.toEqual(coded("ROW_FREED"));
  expect(() => session.commit([pass.rows[1]!])).toThrow(coded("ROW_FREED"));
  expect(() => session.discard([pass.rows[1]!])).toThrow(coded("ROW_FREED"));
}

async function aborts(bench: ModelBench): Promise<void> {
  const session = await bench.session(bench.text(3));
  const call = (signal: AbortSignal) => session.forward([{ token: 0 }], { signal });
  await expect(call(AbortSignal.abort())).rejects.toEqual(coded("ABORTED"));
  const controller = new AbortController();
  const waiting = call(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toEqual(coded("ABORTED"));
  expect([session.pendingCount, session.tokens]).toEqual([0, bench.text(3)]);
  const pass = await session.forward([{ token: 0 }], { logits: "all" });
  await bench.expectLaw(pass, 0, [...bench.text(3), 0]);
}

async function busy(bench: ModelBench): Promise<void> {
  const session = await bench.session(bench.text(3));
  const running = session.forward([{ token: 0 }]);
  for (const change of [() => session.truncate(0), () => session.discard(), () => session.commit([])]) {
    expect(change).toThrow(coded("SESSION_BUSY"));
  }
  session.commit((await running).rows);
  expect(session.tokens).toEqual([...bench.text(3), 0]);
}

async function disposedSession(bench: ModelBench): Promise<void> {
  const session = await bench.session(bench.text(3));
  const pass = await session.forward([{ token: 0 }], { logits: "all" });
  const running = session.forward([{ token: 1 }]);
  session.dispose();
  session.dispose();
  expect(session.isDisposed).toBe(true);
  await expect(running).rejects.toEqual(coded("DISPOSED"));
  await expect(session.forward([{ token: 0 }])).rejects.toEqual(coded("DISPOSED"));
  await expect(pass.logits(0)).rejects.toEqual(coded("ROW_FREED"));
  expect(() => session.commit(pass.rows)).toThrow(coded("DISPOSED"));
  expect(() => session.branch()).toThrow(coded("DISPOSED"));
}

async function unsupported(bench: ModelBench): Promise<void> {
  const { model } = bench;
  const impossible = { hidden: [model.layers + 7] };
  expect(model.unsupported({})).toEqual([]);
  expect(model.unsupported(impossible)).toHaveLength(1);
  await expect(model.prepare(impossible)).rejects.toEqual(coded("UNSUPPORTED"));
  const session = await bench.session(bench.text(3));
  await model.prepare({});
  const pass = await session.forward([{ token: 0 }], { logits: "all" });
  await bench.expectLaw(pass, 0, [...bench.text(3), 0]);
}
