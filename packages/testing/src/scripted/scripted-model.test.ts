import { expect, test } from "vitest";
import { decodeHidden } from "./hidden-code.ts";
import { randomLaw } from "./scripted-laws.ts";
import { scriptedModel } from "./scripted-model.ts";

/** Each row's favourite is the sum of the tokens it sees, so that one wrong token shows. */
const sums = () => scriptedModel({ next: (tokens) => tokens.reduce((sum, token) => sum + token, 0) % 8 });

const code = (value: string) => expect.objectContaining({ code: value });

test("a row sees the text, its ancestors and itself, and nothing of its siblings", async () => {
  const session = sums().createSession();
  session.commit((await session.forward([{ token: 1 }, { token: 2 }])).rows);
  const pass = await session.forward(
    [{ token: 1 }, { token: 2, parent: 0 }, { token: 3, parent: 0 }, { token: 1, parent: 2 }],
    { logits: "all" },
  );
  expect(await Promise.all([0, 1, 2, 3].map((row) => pass.argmax(row)))).toEqual([4, 6, 7, 0]);
  expect(pass.rows.map((row) => row.position)).toEqual([2, 3, 3, 4]);
});

test("a later pass hangs rows behind pending ones, and commit takes a path through both", async () => {
  const model = sums();
  const session = model.createSession();
  const first = await session.forward([{ token: 1 }, { token: 2, parent: 0 }, { token: 3, parent: 0 }]);
  const second = await session.forward([{ token: 1, parent: first.rows[2] }], { logits: "all" });
  expect(await second.argmax(0)).toBe(5);
  session.commit([first.rows[0]!, first.rows[2]!, second.rows[0]!]);
  expect(session.tokens).toEqual([1, 3, 1]);
  expect(model.inspection).toMatchObject({ pendingRows: 0, liveSlots: 3, passes: 2, rows: 4 });
});

test("hidden states say which tokens a row saw", async () => {
  const model = sums();
  await model.prepare({ hidden: [0, "final"] });
  const session = model.createSession();
  const pass = await session.forward([{ token: 5 }, { token: 6 }, { token: 7, parent: 0 }], {
    hidden: [0, "final"],
  });
  const states = await pass.hidden("final").read();
  const row = (at: number) => decodeHidden(states.subarray(at * 8, at * 8 + 8));
  expect(row(1)).toMatchObject({ token: 6, position: 1, site: 5, recent: [5, -1, -1, -1] });
  expect(row(2)).toMatchObject({ token: 7, position: 1, recent: [5, -1, -1, -1] });
  expect(row(1).context).not.toBe(row(2).context);
  const embeddings = await pass.hidden(0).read();
  expect(decodeHidden(embeddings.subarray(8, 16))).toMatchObject({ token: 6, recent: [-1, -1, -1, -1] });
});

test("integers and vectors reach the script's probes, and ancestors must be rows of the call", async () => {
  const seen: unknown[] = [];
  const model = scriptedModel({
    next: () => 1,
    probe: (_, { integers, vectors }) => {
      seen.push({ ...integers, ...vectors });
      return new Float32Array(8);
    },
  });
  const extensions = [{ name: "part", rowAncestors: ["part.up"] }];
  await model.prepare({ embeddings: true, extensions });
  const session = model.createSession();
  const embedding = new Float32Array(8);
  const vectors = { "part.code": Float32Array.of(1, 2) };
  const probe = { embedding, integers: { "part.up": 1 }, vectors };
  const pass = await session.forward([{ token: 1 }, probe], { logits: "last" });
  await pass.logits(1);
  expect(seen).toEqual([{ "part.up": 1, ...vectors }]);
  await expect(session.forward([probe])).rejects.toThrow(code("INVALID_ROW"));
  await expect(
    scriptedModel({ next: () => 1 })
      .createSession()
      .forward([{ token: 1, vectors }]),
  ).rejects.toThrow(/takes integers or vectors/);
});

test("a probe guesses, and a real row that sees it has no logits", async () => {
  const model = sums();
  await model.prepare({ embeddings: true });
  const session = model.createSession();
  const pass = await session.forward(
    [
      { token: 1 },
      { embedding: new Float32Array(8), parent: 0 },
      { token: 2, parent: 0 },
      { token: 2, parent: 1 },
    ],
    { logits: "all" },
  );
  // Behind 1 comes 1, and behind 1 1 comes 2: the guess for the token after the next.
  expect(await pass.argmax(1)).toBe(2);
  expect(await pass.argmax(2)).toBe(3);
  await expect(pass.argmax(3)).rejects.toEqual(code("INVALID_LOGITS"));
  expect(() => session.commit([pass.rows[0]!, pass.rows[1]!])).toThrow(code("INVALID_ROW"));
});

test("layers that a visible row skipped cannot run again", async () => {
  const model = sums();
  await model.prepare({ gates: true });
  const session = model.createSession();
  const part = [true, false, true, true];
  session.commit((await session.forward([{ token: 1 }], { layers: part })).rows);
  await expect(session.forward([{ token: 2 }])).rejects.toEqual(code("CACHE_HOLE"));
  await expect(session.forward([{ token: 2 }], { layers: [true, true, false, true] })).rejects.toEqual(
    code("CACHE_HOLE"),
  );
  const skipping = await session.forward([{ token: 2 }], { layers: part, logits: "all" });
  expect([...(await skipping.logits(0))]).not.toEqual([...model.logitsOf([1, 2])]);
  expect(session.pendingCount).toBe(1);
});

test("a branch shares slots, and adopting it replaces the text", async () => {
  const model = sums();
  const session = model.createSession();
  session.commit((await session.forward([{ token: 1 }, { token: 2 }])).rows);
  const pending = await session.forward([{ token: 3 }, { token: 4 }]);
  const branch = session.branch({ at: pending.rows[1] });
  expect([branch.tokens, model.inspection.liveSlots]).toEqual([[1, 2, 3, 4], 4]);
  const other = session.branch({ at: 1 });
  other.commit((await other.forward([{ token: 7 }])).rows);
  session.adopt(other);
  expect([session.tokens, session.pendingCount]).toEqual([[1, 7], 0]);
  other.dispose();
  expect((await session.forward([{ token: 0 }])).rows[0]!.position).toBe(2);
  session.dispose();
  expect(model.inspection.liveSlots).toBe(4);
  branch.dispose();
  expect(model.inspection).toMatchObject({ liveSlots: 0, liveSessions: 0, pendingRows: 0 });
});

test("calls that wait together share a pass, one layer set at a time", async () => {
  const model = scriptedModel({ next: () => 1, record: true });
  await model.prepare({ gates: true });
  const [a, b, c] = [model.createSession(), model.createSession(), model.createSession()];
  await Promise.all([
    a.forward([{ token: 1 }]),
    b.forward([{ token: 2 }, { token: 3 }]),
    c.forward([{ token: 4 }], { layers: [true, true, true, false] }),
  ]);
  expect(model.inspection).toMatchObject({ passes: 2, calls: 3, rows: 4 });
  expect(model.inspection.log.map(({ calls, rows }) => [calls, rows.length])).toEqual([
    [2, 3],
    [1, 1],
  ]);
});

test("keep holds other pending rows over a commit; discard takes what descends", async () => {
  const model = sums();
  const session = model.createSession();
  const { rows } = await session.forward([
    { token: 1 },
    { token: 2, parent: 0 },
    { token: 3, parent: 0 },
    { token: 4, parent: 2 },
  ]);
  expect(() => session.commit([rows[0]!], { keep: [rows[3]!] })).toThrow(code("INVALID_ROW"));
  session.commit([rows[0]!], { keep: [rows[2]!, rows[3]!] });
  expect(session.pendingCount).toBe(2);
  session.discard([rows[2]!]);
  expect([session.pendingCount, model.inspection.liveSlots]).toEqual([0, 1]);
});

test("rows that are gone cannot be used or read", async () => {
  const session = sums().createSession();
  const pass = await session.forward([{ token: 1 }, { token: 2 }], { logits: "all" });
  session.commit([pass.rows[0]!]);
  await expect(pass.logits(0)).rejects.toEqual(code("ROW_FREED"));
  await expect(pass.logits(1)).rejects.toEqual(code("ROW_FREED"));
  await expect(pass.logits(2)).rejects.toEqual(code("INVALID_ROW"));
  await expect(session.forward([{ token: 1, parent: pass.rows[1] }])).rejects.toEqual(code("ROW_FREED"));
  expect(() => session.commit([pass.rows[1]!])).toThrow(code("ROW_FREED"));
});

test("calls that break the contract leave nothing behind", async () => {
  const model = scriptedModel({ next: () => 1, contextLength: 4, poolRows: 6 });
  const session = model.createSession();
  const refuse = async (rows: Parameters<typeof session.forward>[0], expected: string, wants = {}) => {
    await expect(session.forward(rows, wants)).rejects.toEqual(code(expected));
    expect(model.inspection).toMatchObject({ pendingRows: 0, liveSlots: 0, passes: 0 });
  };
  await refuse([], "INVALID_ROW");
  await refuse([{}], "INVALID_ROW");
  await refuse([{ token: 1, parent: 0 }], "INVALID_ROW");
  await refuse([{ token: 8 }], "UNKNOWN_TOKEN");
  await refuse([{ token: 1.5 }], "UNKNOWN_TOKEN");
  await refuse([{ embedding: new Float32Array(8) }], "UNSUPPORTED");
  await refuse([{ token: 1 }], "UNSUPPORTED", { hidden: [2] });
  await refuse([{ token: 1 }], "UNSUPPORTED", { layers: [true, true, true, true] });
  await refuse(
    [1, 2, 3, 4, 5].map((token) => ({ token })),
    "CONTEXT_FULL",
  );
  await refuse(
    [1, 2, 3, 4, 5, 6, 7].map((token) => ({ token, parent: -1 })),
    "POOL_FULL",
  );
  const abort = AbortSignal.abort();
  await refuse([{ token: 1 }], "ABORTED", { signal: abort });
  const stranger = await model.createSession().forward([{ token: 1 }]);
  await expect(session.forward([{ token: 1, parent: stranger.rows[0] }])).rejects.toEqual(
    code("INVALID_ROW"),
  );
});

test("an abort while the pass runs frees its rows", async () => {
  const model = sums();
  const abort = new AbortController();
  model.inspection.faults.delayMs = 5;
  model.inspection.faults.onAwait = (point) => point === "run" && abort.abort();
  const session = model.createSession();
  await expect(session.forward([{ token: 1 }], { signal: abort.signal })).rejects.toEqual(code("ABORTED"));
  expect(model.inspection).toMatchObject({ pendingRows: 0, liveSlots: 0 });
});

test("the text cannot change under a running pass, but the session can be disposed", async () => {
  const model = sums();
  const session = model.createSession();
  const running = session.forward([{ token: 1 }]);
  expect(() => session.truncate(0)).toThrow(code("SESSION_BUSY"));
  session.dispose();
  await expect(running).rejects.toEqual(code("DISPOSED"));
  await expect(session.forward([{ token: 1 }])).rejects.toEqual(code("DISPOSED"));
  expect(model.inspection.liveSlots).toBe(0);
});

test("disposing a model waits for the running pass and rejects the rest", async () => {
  const model = sums();
  model.inspection.faults.delayMs = 5;
  const session = model.createSession();
  const call = session.forward([{ token: 1 }]);
  await Promise.resolve();
  await Promise.all([model.dispose(), expect(call).rejects.toEqual(code("DISPOSED"))]);
  expect(session.isDisposed).toBe(true);
  expect(() => model.createSession()).toThrow(code("DISPOSED"));
});

test("faults: a pass that fails, and NaN at a position", async () => {
  const model = sums();
  model.inspection.faults.throwAtPass = 2;
  model.inspection.faults.nanAt = (position) => position === 1;
  const session = model.createSession();
  const pass = await session.forward([{ token: 1 }, { token: 2 }], { logits: "all" });
  await expect(session.forward([{ token: 3 }])).rejects.toEqual(code("DEVICE_FAILED"));
  expect(session.pendingCount).toBe(2);
  expect(await pass.argmax(0)).toBe(1);
  await expect(pass.logits(1)).rejects.toEqual(code("INVALID_LOGITS"));
});

test("a reader that writes to a row is found out", async () => {
  const session = sums().createSession();
  const pass = await session.forward([{ token: 1 }], { logits: "all" });
  (await pass.logits(0))[3] = 7;
  await expect(pass.argmax(0)).rejects.toEqual(code("INVALID_LOGITS"));
});

test("reductions agree with the row, and rows that were not asked for have none", async () => {
  const model = scriptedModel({ law: () => [0.1, 0.4, 0, 0.4, 0.1], vocabularySize: 5 });
  const session = model.createSession();
  const pass = await session.forward([{ token: 1 }, { token: 2 }], { logits: "last" });
  const best = await pass.topK(1, 3);
  expect([...best.ids]).toEqual([1, 3, 0]);
  expect(Math.exp(best.logProbabilities[1]!)).toBeCloseTo(0.4, 6);
  expect(await pass.logSumExp(1)).toBeCloseTo(0, 6);
  await expect(pass.argmax(0)).rejects.toEqual(code("INVALID_ROW"));
});

test("a scripted model is fast enough for law tests, and keeps no slot", async () => {
  const model = scriptedModel({ law: randomLaw({ seed: 1, vocabularySize: 4 }), vocabularySize: 4 });
  const began = performance.now();
  for (let text = 0; text < 10_000; text++) {
    const session = model.createSession();
    session.commit((await session.forward([{ token: text % 4 }])).rows);
    for (let round = 0; round < 2; round++) {
      const rows = [{ token: 1 }, { token: 2, parent: 0 }, { token: 3, parent: 0 }, { token: 0, parent: 1 }];
      const pass = await session.forward(rows, { logits: "all" });
      await pass.logits(0);
      await pass.logits(2);
      session.commit([pass.rows[0]!, pass.rows[2]!]);
    }
    session.dispose();
  }
  expect(model.inspection.liveSlots).toBe(0);
  expect(performance.now() - began).toBeLessThan(3_000);
});
