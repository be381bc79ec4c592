import { lawStateFor, type Round, seededRandom, TokenTree } from "@foretoken/core";
import { randomLaw, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { DraftRows } from "./draft-rows.ts";

const context = {
  random: seededRandom(1),
  law: lawStateFor({ temperature: 1 }, { vocabularySize: 6, promptTokens: [] }),
};

/**
 * Rows behind the text `0 1` of which the draft holds `0`, and a tree of which the root and its children were run:
 *
 * ```
 *   2 ─┬─ 3 ─── 5
 *      └─ 4
 * ```
 */
async function round() {
  const model = scriptedModel({
    vocabularySize: 6,
    law: randomLaw({ seed: 2, vocabularySize: 6 }),
    record: true,
  });
  const session = model.createSession();
  session.commit((await session.forward([{ token: 0 }])).rows);
  const tree = new TokenTree(2);
  const rows = new DraftRows({ session, missing: [1], tree, context, endTokens: new Set([5]) });
  await rows.expand([0]);
  for (const token of [3, 4]) tree.add(0, token, "point", "test");
  await rows.expand([1, 2]);
  tree.add(1, 5, "point", "test");
  return { model, session, tree, rows };
}

const decided = (rowTokens: readonly number[], committed: readonly number[]): Round => ({
  kind: "verify",
  pass: {} as Round["pass"],
  position: 2,
  rowTokens,
  parents: [],
  committed,
  next: 0,
  probes: [],
});

test("one pass for each call, the text that was missing with the first", async () => {
  const { model, session, rows } = await round();
  expect(await rows.expand([1, 0, 1])).toHaveLength(3);
  const fed = model.inspection.log.map((pass) => pass.rows.map(({ token, position }) => [token, position]));
  expect(fed.slice(1)).toEqual([
    [
      [1, 1],
      [2, 2],
    ],
    [
      [3, 3],
      [4, 3],
    ],
  ]);
  expect([session.tokens, session.pendingCount]).toEqual([[0, 1], 3]);
});

test("a law is that of the path, whatever was run beside it", async () => {
  const { model, rows } = await round();
  const [law] = await rows.expand([2]);
  const expected = context.law.lawOf(model.logitsOf([0, 1, 2, 4]));
  for (let token = 0; token < 6; token++) {
    expect(law!.probability(token)).toBeCloseTo(expected.probability(token), 9);
  }
});

test.each([
  ["the root alone", [2, 3, 4, 5], [0], [2]],
  ["a drafted path", [2, 3, 4, 5], [0, 2], [2, 4]],
  ["a path whose end was never run", [2, 3, 4, 5], [0, 1, 3], [2, 3]],
  ["a path that others went on with", [2, 3, 4, 5, 0, 1], [0, 2, 4, 5], [2, 4]],
  ["a path of others", [2, 3, 4, 5, 0, 3], [0, 4, 5], [2]],
])("of %s the rows that were run are text", async (_, rowTokens, committed, expected) => {
  const { session, rows } = await round();
  const accepted = rows.accepted(decided(rowTokens, committed));
  expect(accepted.map(({ token }) => token)).toEqual(expected);
  session.commit(accepted);
  expect([session.tokens, session.pendingCount]).toEqual([[0, 1, ...expected], 0]);
});

test("an end token has no law and costs no pass", async () => {
  const { model, rows } = await round();
  const before = model.inspection.passes;
  expect(await rows.expand([3])).toEqual([undefined]);
  expect(model.inspection.passes).toBe(before);
});

test("processing that leaves nothing of the draft's law leaves no law", async () => {
  const model = scriptedModel({ vocabularySize: 3, law: () => [1, 0, 0] });
  const law = lawStateFor({ temperature: 1, bannedTokens: [0] }, { vocabularySize: 3, promptTokens: [] });
  const rows = new DraftRows({
    session: model.createSession(),
    missing: [],
    tree: new TokenTree(1),
    context: { ...context, law },
  });
  expect(await rows.expand([0])).toEqual([undefined]);
});
