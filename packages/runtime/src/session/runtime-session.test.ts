import { DecodingError, type Pass, type Session } from "@foretoken/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { distance } from "../__fixtures__/distance.ts";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import type { RuntimeModel } from "../load-runtime.ts";

/** Rows of one pass differ from rows alone by the order of float32 sums. */
const NOISE = 2e-5;

let model: RuntimeModel;
beforeAll(async () => {
  model = await tinyModel("llama-F16");
  await model.prepare({ gates: true, hidden: [0, 1, 2, "final"] });
});
afterAll(() => model.dispose());

const inputs = (tokens: readonly number[]) => tokens.map((token) => ({ token }));
const text = (length: number, seed = 7) =>
  Array.from({ length }, (_, i) => (seed * 31 + i * 37 + (i % 7) * 11) % 512);

async function sessionWith(tokens: readonly number[], owner = model): Promise<Session> {
  const session = owner.createSession();
  if (tokens.length > 0) session.commit((await session.forward(inputs(tokens))).rows);
  return session;
}

/** Logits behind the last of `tokens`, from a text of their own. */
async function lawOf(tokens: readonly number[], owner = model): Promise<Float32Array> {
  const session = owner.createSession();
  const pass = await session.forward(inputs(tokens), { logits: "last" });
  const logits = (await pass.logits(tokens.length - 1)).slice();
  session.dispose();
  return logits;
}

const code = (expected: string) => expect.objectContaining({ name: "DecodingError", code: expected });

describe("rows", () => {
  test("tree rows see their ancestors only, in one pass and over several", async () => {
    const prefix = text(6);
    const session = await sessionWith(prefix);
    //      10 ── 20 ── 40
    // 11 ──┴─ 21      (11 is a sibling of 10; 41 hangs below 20 in a second pass)
    const first = await session.forward(
      [
        { token: 10, parent: -1 },
        { token: 11, parent: -1 },
        { token: 20, parent: 0 },
        { token: 21, parent: 0 },
        { token: 40, parent: 2 },
      ],
      { logits: "all" },
    );
    const paths = [[10], [11], [10, 20], [10, 21], [10, 20, 40]];
    for (const [row, path] of paths.entries()) {
      expect(distance(await first.logits(row), await lawOf([...prefix, ...path]))).toBeLessThan(NOISE);
    }
    const second = await session.forward([{ token: 41, parent: first.rows[2] }, { token: 50 }], {
      logits: "all",
    });
    expect(second.rows.map(({ position }) => position)).toEqual([8, 9]);
    expect(distance(await second.logits(1), await lawOf([...prefix, 10, 20, 41, 50]))).toBeLessThan(NOISE);
    session.dispose();
  });

  test("a committed path, its rejected siblings gone, continues like the text alone", async () => {
    const prefix = text(9);
    const session = await sessionWith(prefix);
    for (let round = 0; round < 6; round++) {
      const pass = await session.forward([
        { token: 100 + round },
        { token: 3, parent: 0 },
        { token: 4, parent: 0 },
        { token: 5, parent: 2 },
        { token: 6, parent: 1 },
      ]);
      session.commit([pass.rows[0], pass.rows[2], pass.rows[3]]);
    }
    const expected = [...prefix, ...[0, 1, 2, 3, 4, 5].flatMap((round) => [100 + round, 4, 5])];
    expect(session.tokens).toEqual(expected);
    expect(session.pendingCount).toBe(0);
    expect(model.cacheUse.rows).toBe(expected.length);
    const pass = await session.forward([{ token: 9 }], { logits: "all" });
    expect(distance(await pass.logits(0), await lawOf([...expected, 9]))).toBeLessThan(NOISE);
    session.dispose();
  });

  test("an injected embedding of a token is that token, and never becomes text", async () => {
    const session = await sessionWith(text(5));
    const fed = await session.forward([{ token: 77 }], { logits: "all", hidden: [0] });
    const embedding = await fed.hidden(0).read();
    const injected = await session.forward([{ embedding: embedding.slice(), parent: -1 }], { logits: "all" });
    expect(distance(await injected.logits(0), await fed.logits(0))).toBeLessThan(NOISE);
    expect(() => session.commit([injected.rows[0]])).toThrow(code("INVALID_ROW"));
    await expect(session.forward([{ embedding: new Float32Array(256).fill(Number.NaN) }])).rejects.toThrow(
      code("INVALID_ROW"),
    );
    session.dispose();
  });

  test("the logits of unnamed rows are not computed, those of freed rows not readable", async () => {
    const session = model.createSession();
    const pass = await session.forward(inputs([1, 2, 3]), { logits: [1] });
    await expect(pass.logits(0)).rejects.toThrow(code("INVALID_ROW"));
    expect((await pass.logits(1)).length).toBe(model.vocabularySize);
    session.commit(pass.rows);
    await expect(pass.logits(1)).rejects.toThrow(code("ROW_FREED"));
    session.dispose();
  });

  test("argmax, top-k and log-sum-exp agree with the logits", async () => {
    const session = model.createSession();
    const pass = await session.forward(inputs([1, 2, 3]), { logits: "last" });
    const logits = await pass.logits(2);
    const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b);
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const { ids, logProbabilities } = await pass.topK(2, 8);
    expect(await pass.argmax(2)).toBe(order[0]);
    expect([...ids]).toEqual(order.slice(0, 8));
    expect(logProbabilities[7]).toBeCloseTo(logits[order[7]] - total, 6);
    expect(await pass.logSumExp(2)).toBeCloseTo(total, 6);
    session.dispose();
  });

  test.each<[string, (session: Session, foreign: Pass) => Promise<unknown>, string]>([
    ["no rows", (session) => session.forward([]), "INVALID_ROW"],
    ["a token outside the vocabulary", (session) => session.forward([{ token: 512 }]), "UNKNOWN_TOKEN"],
    ["a fractional token", (session) => session.forward([{ token: 1.5 }]), "UNKNOWN_TOKEN"],
    ["a row without content", (session) => session.forward([{}]), "INVALID_ROW"],
    [
      "a parent that comes later",
      (session) => session.forward([{ token: 1, parent: 1 }, { token: 2 }]),
      "INVALID_ROW",
    ],
    [
      "a parent of another session",
      (session, foreign) => session.forward([{ token: 1, parent: foreign.rows[0] }]),
      "INVALID_ROW",
    ],
    [
      "a short embedding",
      (session) => session.forward([{ embedding: new Float32Array(3) }]),
      "SHAPE_MISMATCH",
    ],
    ["logits of a missing row", (session) => session.forward([{ token: 1 }], { logits: [1] }), "INVALID_ROW"],
    ["a short layer set", (session) => session.forward([{ token: 1 }], { layers: [true] }), "SHAPE_MISMATCH"],
    [
      "integers no extension takes",
      (session) => session.forward([{ token: 1, integers: { spawner: 3 } }]),
      "UNSUPPORTED",
    ],
  ])("%s is refused, and leaves nothing behind", async (_, call, expected) => {
    const session = await sessionWith([1, 2]);
    const other = await sessionWith([]);
    const foreign = await other.forward([{ token: 1 }]);
    const before = model.cacheUse.rows;
    await expect(call(session, foreign)).rejects.toThrow(code(expected));
    expect([session.pendingCount, model.cacheUse.rows]).toEqual([0, before]);
    session.dispose();
    other.dispose();
  });
});

describe("texts", () => {
  test("B1: truncated and extended again, the text gives the same logits, with one row recomputed", async () => {
    const tokens = text(20);
    const session = await sessionWith(tokens);
    session.truncate(tokens.length - 1);
    const pass = await session.forward([{ token: tokens[19] }], { logits: "all" });
    expect(pass.rows[0].position).toBe(19);
    expect(distance(await pass.logits(0), await lawOf(tokens))).toBeLessThan(NOISE);
    session.dispose();
  });

  test("grows past a capacity step without changing what it sees", async () => {
    const small = await tinyModel("llama-F16");
    const tokens = text(300);
    const session = await sessionWith(tokens.slice(0, 250), small);
    const before = small.cacheUse.bytes;
    session.commit((await session.forward(inputs(tokens.slice(250, 299)))).rows);
    expect(small.cacheUse.bytes).toBeGreaterThan(before);
    const pass = await session.forward([{ token: tokens[299] }], { logits: "all" });
    expect(distance(await pass.logits(0), await lawOf(tokens))).toBeLessThan(NOISE);
    await small.dispose();
  });

  test("branches share rows, go their own ways, and are adopted", async () => {
    const prefix = text(30);
    const session = await sessionWith(prefix);
    const early = session.branch({ at: 10 });
    const pending = await session.forward(inputs([200, 201]), { logits: "all" });
    const late = session.branch({ at: pending.rows[1] });
    expect(model.cacheUse.rows).toBe(32);
    for (const [branch, tokens] of [
      [early, prefix.slice(0, 10)],
      [late, [...prefix, 200, 201]],
    ] as const) {
      expect(branch.tokens).toEqual(tokens);
      const pass = await branch.forward([{ token: 5 }], { logits: "all" });
      expect(distance(await pass.logits(0), await lawOf([...tokens, 5]))).toBeLessThan(NOISE);
      branch.commit(pass.rows);
    }
    session.adopt(late);
    expect(session.tokens).toEqual([...prefix, 200, 201, 5]);
    late.dispose();
    early.dispose();
    expect(model.cacheUse.rows).toBe(33);
    const pass = await session.forward([{ token: 6 }], { logits: "all" });
    expect(distance(await pass.logits(0), await lawOf([...prefix, 200, 201, 5, 6]))).toBeLessThan(NOISE);
    session.dispose();
    expect(model.cacheUse.rows).toBe(0);
  });

  test("rows kept over a commit still see what they saw", async () => {
    const session = await sessionWith(text(8));
    const pass = await session.forward([{ token: 1 }, { token: 2, parent: 0 }, { token: 3, parent: -1 }]);
    session.commit([pass.rows[0]], { keep: [pass.rows[1], pass.rows[2]] });
    expect(session.pendingCount).toBe(2);
    const next = await session.forward(
      [
        { token: 9, parent: pass.rows[1] },
        { token: 9, parent: pass.rows[2] },
      ],
      { logits: "all" },
    );
    expect(distance(await next.logits(0), await lawOf([...text(8), 1, 2, 9]))).toBeLessThan(NOISE);
    expect(distance(await next.logits(1), await lawOf([...text(8), 3, 9]))).toBeLessThan(NOISE);
    expect(() => session.commit([pass.rows[2]])).toThrow(code("INVALID_ROW"));
    session.dispose();
  });

  test("B3: the context's last position can be used, the next one is refused with both numbers", async () => {
    const session = model.createSession({ contextLength: 20 });
    session.commit((await session.forward(inputs(text(20)))).rows);
    await expect(session.forward([{ token: 1 }])).rejects.toThrow(/position 20, but the context ends at 20/);
    session.truncate(19);
    const pass = await session.forward([{ token: 1 }, { token: 2, parent: -1 }], { logits: "all" });
    expect((await pass.logits(1)).length).toBe(512);
    session.dispose();
  });

  test("a full pool is another error than a full context, and frees with its sessions", async () => {
    const small = await tinyModel("llama-F16", { poolRows: 40 });
    const session = await sessionWith(text(30), small);
    const branch = session.branch();
    await expect(branch.forward(inputs(text(11)))).rejects.toThrow(code("POOL_FULL"));
    expect((await branch.forward(inputs(text(10)))).rows.length).toBe(10);
    branch.dispose();
    expect((await session.forward(inputs(text(10)))).rows.length).toBe(10);
    await small.dispose();
  });
});

describe("fused passes", () => {
  test("E2: calls that wait at the same time share a pass and equal those made alone", async () => {
    const texts = [text(5, 1), text(12, 2), text(3, 3), text(40, 4)];
    const sessions = await Promise.all(texts.map((tokens) => sessionWith(tokens)));
    const passes = await Promise.all(
      sessions.map((session, i) =>
        session.forward([{ token: i }, { token: 9, parent: -1 }], {
          logits: i === 2 ? "last" : "all",
          hidden: ["final"],
        }),
      ),
    );
    expect(new Set(passes.map(({ elapsedMs }) => elapsedMs)).size).toBe(1);
    for (const [i, pass] of passes.entries()) {
      expect(distance(await pass.logits(1), await lawOf([...texts[i], 9]))).toBeLessThan(NOISE);
      expect(pass.hidden("final").shape).toEqual([2, 256]);
    }
    for (const session of sessions) session.dispose();
  });

  test("texts that all start from nothing in one pass keep their own positions", async () => {
    const texts = [text(4, 1), text(6, 2)];
    const sessions = texts.map(() => model.createSession());
    const passes = await Promise.all(
      sessions.map((session, i) => session.forward(inputs(texts[i]), { logits: "last" })),
    );
    for (const [i, pass] of passes.entries()) {
      expect(distance(await pass.logits(texts[i].length - 1), await lawOf(texts[i]))).toBeLessThan(NOISE);
    }
    for (const session of sessions) session.dispose();
  });
});

describe("layer sets", () => {
  test("a closed gate skips its layer, open ones change nothing", async () => {
    const tokens = text(9);
    const session = model.createSession();
    const pass = await session.forward(inputs(tokens), {
      logits: "last",
      layers: [true, false],
      hidden: [1, 2],
    });
    expect(distance(await pass.hidden(1).read(), await pass.hidden(2).read())).toBe(0);
    const ungated = await tinyModel("llama-F16");
    expect(distance(await lawOf(tokens), await lawOf(tokens, ungated))).toBeLessThan(NOISE);
    await ungated.dispose();
    session.dispose();
  });

  test("rows run with fewer layers are never seen by passes with more", async () => {
    const session = await sessionWith(text(5));
    const draft = session.branch();
    const pass = await draft.forward([{ token: 1 }], { layers: [true, false] });
    await expect(draft.forward([{ token: 2, parent: pass.rows[0] }])).rejects.toThrow(code("CACHE_HOLE"));
    draft.commit(pass.rows);
    await expect(draft.forward([{ token: 2 }])).rejects.toThrow(/runs layer 1/);
    await draft.forward([{ token: 2 }], { layers: [true, false] });
    await session.forward([{ token: 2 }]);
    draft.dispose();
    session.dispose();
  });

  test("calls with different layer sets do not share a pass", async () => {
    const [one, two] = await Promise.all([sessionWith(text(5)), sessionWith(text(5))]);
    const [all, some] = await Promise.all([
      one.forward([{ token: 1 }], { logits: "all" }),
      two.forward([{ token: 1 }], { logits: "all", layers: [false, true] }),
    ]);
    expect(distance(await all.logits(0), await lawOf([...text(5), 1]))).toBeLessThan(NOISE);
    expect(distance(await some.logits(0), await all.logits(0))).toBeGreaterThan(0.1);
    one.dispose();
    two.dispose();
  });
});

describe("ends", () => {
  test("E1: an aborted signal stops a call before it runs", async () => {
    const session = await sessionWith(text(5));
    await expect(session.forward([{ token: 1 }], { signal: AbortSignal.abort() })).rejects.toThrow(
      code("ABORTED"),
    );
    const controller = new AbortController();
    const call = session.forward([{ token: 1 }], { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toThrow(code("ABORTED"));
    expect(session.pendingCount).toBe(0);
    session.dispose();
  });

  test("E1: disposing in the middle of a pass rejects it and frees its rows", async () => {
    const session = await sessionWith(text(5));
    const call = session.forward([{ token: 1 }]);
    session.dispose();
    await expect(call).rejects.toThrow(code("DISPOSED"));
    await expect(session.forward([{ token: 1 }])).rejects.toThrow(code("DISPOSED"));
    expect(() => session.truncate(0)).toThrow(code("DISPOSED"));
    expect(model.cacheUse.rows).toBe(0);
    session.dispose();
  });

  test("commit waits for the pass that runs", async () => {
    const session = model.createSession();
    const call = session.forward([{ token: 1 }]);
    expect(() => session.discard()).toThrow(code("SESSION_BUSY"));
    session.commit((await call).rows);
    session.dispose();
  });

  test("a disposed model ends its sessions and the calls that wait", async () => {
    const short = await tinyModel("llama-F16");
    const session = short.createSession();
    const call = session.forward([{ token: 1 }]);
    const ended = expect(call).rejects.toThrow(DecodingError);
    await short.dispose();
    await ended;
    expect(session.isDisposed).toBe(true);
    expect(() => short.createSession()).toThrow(code("DISPOSED"));
    await expect(short.prepare({ gates: true })).rejects.toThrow(code("DISPOSED"));
  });

  test("a thousand sessions leave nothing behind", async () => {
    const { bytes } = model.cacheUse;
    for (let round = 0; round < 1000; round++) {
      const session = await sessionWith([1, 2, 3]);
      const branch = session.branch({ at: 2 });
      await branch.forward([{ token: round % 512 }]);
      session.dispose();
      branch.dispose();
    }
    expect(model.cacheUse).toEqual({ rows: 0, bytes });
  });
});

test("texts survive a graph that is built again", async () => {
  const fresh = await tinyModel("llama-F16");
  const session = await sessionWith(text(12), fresh);
  await expect(session.forward([{ token: 1 }], { hidden: [1] })).rejects.toThrow(code("UNSUPPORTED"));
  await fresh.prepare({ hidden: [1] });
  const pass = await session.forward([{ token: 1 }], { logits: "all", hidden: [1] });
  expect(distance(await pass.logits(0), await lawOf([...text(12), 1]))).toBeLessThan(NOISE);
  expect(fresh.unsupported({ hidden: [3] })).toEqual([expect.stringContaining("it has 2 layers")]);
  await fresh.dispose();
});
