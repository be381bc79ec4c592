import type { Session } from "@foretoken/core";
import { expect } from "vitest";
import type { Check } from "./check.ts";
import { coded, copyOf, type ModelBench, type ModelCheck, rowsOf } from "./model-bench.ts";

/** What rows give, however a text is cut into passes, trees and branches. */
export function modelRowChecks(
  check: ModelCheck,
  abilities: { readonly tree: boolean; readonly gates: boolean; readonly embeddings: boolean },
): Check[] {
  return [
    check("logits have one value for each token, and the reductions agree with them", reductionsAgree),
    check("only rows that were asked for have logits", onlyAskedRows),
    check("a text gives the same logits in passes of any size", anyPassSize),
    ...(abilities.tree ? treeChecks(check) : []),
    check("truncated, a text goes on as if the rest had never been", truncates),
    check("B1: the last token again gives the same logits", lastTokenAgain),
    check("branches share a text and go their own ways, and one can be adopted", branches),
    check("calls that wait together give what they give alone", fuses),
    check("hidden states belong to their rows", hiddenStates),
    ...(abilities.gates ? [check("a layer that a visible row skipped cannot run", layerHoles)] : []),
    ...(abilities.embeddings
      ? [check("an injected embedding stands for its token, and never becomes text", injects)]
      : []),
  ];
}

async function reductionsAgree(bench: ModelBench): Promise<void> {
  const tokens = bench.text(5);
  const pass = await (await bench.session([])).forward(rowsOf(tokens), {
    logits: "all",
    argmax: true,
    topK: 3,
  });
  expect(pass.rows.map(({ token, position }) => [token, position])).toEqual(
    tokens.map((token, at) => [token, at]),
  );
  for (const row of tokens.keys()) {
    const logits = await copyOf(pass, row);
    expect(logits.length).toBe(bench.model.vocabularySize);
    const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const best = await pass.topK(row, 4);
    expect(await pass.argmax(row)).toBe(order[0]);
    expect([...best.ids]).toEqual(order.slice(0, 4));
    expect([...best.logProbabilities]).toEqual(
      order.slice(0, 4).map((id) => expect.closeTo(logits[id]! - total, 4)),
    );
    expect(await pass.logSumExp(row)).toBeCloseTo(total, 4);
  }
}

async function onlyAskedRows(bench: ModelBench): Promise<void> {
  const session = await bench.session([]);
  const last = await session.forward(rowsOf(bench.text(3)), { logits: "last" });
  expect((await last.logits(2)).length).toBe(bench.model.vocabularySize);
  await expect(last.logits(1)).rejects.toEqual(coded("INVALID_ROW"));
  const some = await session.forward(rowsOf(bench.text(3)), { logits: [0, 2] });
  bench.expectClose(await copyOf(some, 2), await copyOf(last, 2), "a row that was named");
  await expect(some.argmax(1)).rejects.toEqual(coded("INVALID_ROW"));
  await expect(some.logits(3)).rejects.toEqual(coded("INVALID_ROW"));
}

async function anyPassSize(bench: ModelBench): Promise<void> {
  const tokens = bench.text(11);
  for (const chunk of [1, 2, 5, 10]) {
    const session = await bench.session(tokens.slice(0, -1), chunk);
    expect(session.tokens).toEqual(tokens.slice(0, -1));
    const pass = await session.forward(rowsOf(tokens.slice(-1)), { logits: "all" });
    await bench.expectLaw(pass, 0, tokens);
  }
}

function treeChecks(check: ModelCheck): Check[] {
  return [
    check("a row sees the text, its ancestors and itself, over one pass or two", async (bench) => {
      const prefix = bench.text(6);
      const [a, b, c, d] = bench.text(4, 3) as [number, number, number, number];
      const session = await bench.session(prefix);
      const first = await session.forward(
        [
          { token: a },
          { token: b, parent: -1 },
          { token: c, parent: 0 },
          { token: d, parent: 0 },
          { token: b, parent: 3 },
        ],
        { logits: "all" },
      );
      for (const [row, path] of [[a], [b], [a, c], [a, d], [a, d, b]].entries()) {
        await bench.expectLaw(first, row, [...prefix, ...path]);
      }
      const second = await session.forward([{ token: d, parent: first.rows[2] }, { token: a }], {
        logits: "all",
      });
      await bench.expectLaw(second, 1, [...prefix, a, c, d, a]);
      expect(second.rows[1]!.position).toBe(prefix.length + 3);
      session.commit([first.rows[0]!, first.rows[2]!, ...second.rows]);
      expect([session.pendingCount, session.tokens]).toEqual([0, [...prefix, a, c, d, a]]);
    }),
    check("round after round, the committed path is the text and the rest is forgotten", async (bench) => {
      const text = bench.text(5);
      const session = await bench.session(text);
      for (let round = 0; round < 6; round++) {
        const [root, right, wrong, next] = bench.text(4, round) as [number, number, number, number];
        const pass = await session.forward([
          { token: root },
          { token: wrong, parent: 0 },
          { token: right, parent: 0 },
          { token: next, parent: 1 },
          { token: next, parent: 2 },
        ]);
        session.commit([pass.rows[0]!, pass.rows[2]!, pass.rows[4]!]);
        text.push(root, right, next);
        expect(session.pendingCount).toBe(0);
      }
      expect(session.tokens).toEqual(text);
      const pass = await session.forward(rowsOf(bench.text(1)), { logits: "all" });
      await bench.expectLaw(pass, 0, [...text, ...bench.text(1)]);
    }),
    check(
      "rows kept over a commit still see what they saw, and discard takes what descends",
      async (bench) => {
        const prefix = bench.text(4);
        const [a, b, c] = bench.text(3, 2) as [number, number, number];
        const session = await bench.session(prefix);
        const { rows } = await session.forward([
          { token: a },
          { token: b, parent: 0 },
          { token: c, parent: 0 },
          { token: a, parent: 2 },
        ]);
        session.commit([rows[0]!], { keep: rows.slice(1) });
        expect(session.pendingCount).toBe(3);
        const pass = await session.forward([{ token: b, parent: rows[3] }], { logits: "all" });
        await bench.expectLaw(pass, 0, [...prefix, a, c, a, b]);
        session.discard([rows[2]!]);
        expect(session.pendingCount).toBe(1);
        session.commit([rows[1]!]);
        expect([session.pendingCount, session.tokens]).toEqual([0, [...prefix, a, b]]);
      },
    ),
  ];
}

async function truncates(bench: ModelBench): Promise<void> {
  const tokens = bench.text(9);
  const session = await bench.session(tokens);
  await session.forward(rowsOf(tokens.slice(0, 2)));
  session.truncate(4);
  expect([session.tokens, session.pendingCount]).toEqual([tokens.slice(0, 4), 0]);
  const other = bench.text(3, 5);
  const pass = await session.forward(rowsOf(other), { logits: "last" });
  expect(pass.rows[0]!.position).toBe(4);
  await bench.expectLaw(pass, 2, [...tokens.slice(0, 4), ...other]);
  for (const length of [-1, 5, 1.5]) expect(() => session.truncate(length)).toThrow(coded("INVALID_OPTION"));
}

async function lastTokenAgain(bench: ModelBench): Promise<void> {
  const tokens = bench.text(7);
  const session = await bench.session(tokens);
  session.truncate(tokens.length - 1);
  const pass = await session.forward(rowsOf(tokens.slice(-1)), { logits: "all" });
  expect(pass.rows[0]!.position).toBe(tokens.length - 1);
  await bench.expectLaw(pass, 0, tokens);
}

async function branches(bench: ModelBench): Promise<void> {
  const prefix = bench.text(6);
  const [a, b] = bench.text(2, 4) as [number, number];
  const session = await bench.session(prefix);
  const pending = await session.forward(rowsOf([a, b]));
  const early = bench.track(session.branch({ at: 3 }));
  const late = bench.track(session.branch({ at: pending.rows[1] }));
  expect([early.tokens, late.tokens]).toEqual([prefix.slice(0, 3), [...prefix, a, b]]);
  for (const branch of [early, late]) {
    const text = [...branch.tokens, b];
    const pass = await branch.forward(rowsOf([b]), { logits: "all" });
    await bench.expectLaw(pass, 0, text);
    branch.commit(pass.rows);
    expect(branch.tokens).toEqual(text);
  }
  expect([session.tokens, session.pendingCount]).toEqual([prefix, 2]);
  session.adopt(late);
  expect([session.tokens, session.pendingCount]).toEqual([[...prefix, a, b, b], 0]);
  late.dispose();
  const pass = await session.forward(rowsOf([a]), { logits: "all" });
  await bench.expectLaw(pass, 0, [...prefix, a, b, b, a]);
}

async function fuses(bench: ModelBench): Promise<void> {
  const texts = [bench.text(5, 1), bench.text(3, 2), bench.text(8, 3)];
  const sessions = await Promise.all(texts.map((text) => bench.session(text)));
  const next = bench.text(2, 6);
  const passes = await Promise.all(
    sessions.map((session) => session.forward(rowsOf(next), { logits: "all" })),
  );
  for (const [at, pass] of passes.entries()) await bench.expectLaw(pass, 1, [...texts[at]!, ...next]);
}

async function hiddenStates(bench: ModelBench): Promise<void> {
  const { width } = bench.model;
  const tokens = bench.text(5);
  const whole = await (await bench.session([])).forward(rowsOf(tokens), { hidden: [0, 1, "final"] });
  const split = await bench.session(tokens.slice(0, 3));
  const rest = await split.forward(rowsOf(tokens.slice(3)), { hidden: [0, 1, "final"] });
  const states = new Set<string>();
  for (const site of [0, 1, "final"] as const) {
    expect([whole.hidden(site).shape, rest.hidden(site).shape]).toEqual([
      [5, width],
      [2, width],
    ]);
    const [given, expected] = [await rest.hidden(site).read(), await whole.hidden(site).read()];
    bench.expectClose(given, expected.subarray(3 * width), `hidden states at ${site}`);
    for (let row = 0; row < 5; row++) states.add(expected.subarray(row * width, (row + 1) * width).join());
  }
  // Site 0 knows the token alone; the others tell all rows apart.
  expect(states.size).toBeGreaterThanOrEqual(10 + new Set(tokens).size);
  split.commit(rest.rows);
  await expect(Promise.resolve().then(() => rest.hidden(1).read())).rejects.toEqual(coded("ROW_FREED"));
}

async function layerHoles(bench: ModelBench): Promise<void> {
  const { layers } = bench.model;
  const all = new Array<boolean>(layers).fill(true);
  const part = all.map((_, layer) => layer !== layers - 1);
  const tokens = bench.text(4);
  const session = await bench.session(tokens.slice(0, 3));
  const full = await session.forward(rowsOf(tokens.slice(3)), { layers: all, logits: "all" });
  await bench.expectLaw(full, 0, tokens);
  const skipping = await session.forward([{ token: tokens[3], parent: -1 }], { layers: part, logits: "all" });
  expect([...(await skipping.logits(0))]).not.toEqual([...(await full.logits(0))]);
  const behind = { token: tokens[0], parent: skipping.rows[0] };
  await expect(session.forward([behind])).rejects.toEqual(coded("CACHE_HOLE"));
  const same = await session.forward([behind], { layers: part });
  expect(session.pendingCount).toBe(3);
  // What the text itself was run with does not change: other rows still see all layers.
  await bench.expectLaw(await session.forward(rowsOf(tokens.slice(3)), { logits: "all" }), 0, tokens);
  session.commit([skipping.rows[0]!, same.rows[0]!]);
  await expect(session.forward([{ token: tokens[0] }])).rejects.toEqual(coded("CACHE_HOLE"));
  // A prompt that shares this text must be able to tell what its rows lack.
  const branch = session.branch({ at: 4 });
  const ran = (of: Session) => of.tokens.map((_, position) => of.layersAt(position));
  expect(ran(session)).toEqual([undefined, undefined, undefined, part, part]);
  expect(ran(branch)).toEqual([undefined, undefined, undefined, part]);
  session.truncate(3);
  session.commit((await session.forward([{ token: tokens[3] }], { layers: all })).rows);
  expect(ran(session)).toEqual([undefined, undefined, undefined, undefined]);
  session.adopt(branch);
  expect(ran(session)).toEqual(ran(branch));
  branch.dispose();
}

async function injects(bench: ModelBench): Promise<void> {
  const tokens = bench.text(5);
  const session = await bench.session(tokens.slice(0, 4));
  const fed = await session.forward(rowsOf(tokens.slice(4)), { logits: "all", hidden: [0] });
  const embedding = (await fed.hidden(0).read()).slice();
  const mixed = await session.forward(
    [
      { token: tokens[1], parent: -1 },
      { embedding, parent: -1 },
    ],
    { logits: "all" },
  );
  await bench.expectLaw(mixed, 1, tokens);
  await bench.expectLaw(mixed, 0, [...tokens.slice(0, 4), tokens[1]!]);
  await expect(session.forward([{ token: 0, embedding }])).rejects.toEqual(coded("INVALID_ROW"));
  await expect(session.forward([{ embedding: embedding.subarray(1) }])).rejects.toEqual(
    coded("SHAPE_MISMATCH"),
  );
  expect(() => session.commit([mixed.rows[1]!])).toThrow(coded("INVALID_ROW"));
  expect(() => session.branch({ at: mixed.rows[1] })).toThrow(coded("INVALID_ROW"));
}
