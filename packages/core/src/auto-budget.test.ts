import { describe, expect, test } from "vitest";
import { autoBudget } from "./auto-budget.ts";
import type { Budget, BudgetContext, Budgeting } from "./budget.ts";
import type { DecodeStep } from "./decoder.ts";
import type { Drafter } from "./drafter.ts";
import type { CostCurve, Model } from "./model.ts";
import { TokenTree } from "./token-tree.ts";

const linear = (perRow: number): CostCurve => ({
  isMeasured: true,
  ms: (rows) => 10 * (1 + perRow * (rows - 1)),
});
const table = { name: "table", proposal: "deterministic", defaultLimit: 4 } as Drafter;
const drawn = {
  name: "drawn",
  proposal: "sampled",
  defaultLimit: 6,
  cost: (_, nodes) => 0.1 * nodes,
} as Drafter;

function contextOf(
  cost: CostCurve,
  drafters: readonly Drafter[],
  context: number,
  room = 100,
): BudgetContext {
  return { model: { cost } as Model, drafters, context, room, mayTime: false };
}

/** Plays rounds with a drafter whose chains of 4 are right so many tokens long, and says how many nodes were verified. */
function play(
  budgeting: Budgeting,
  {
    rounds,
    right,
    cost,
    at = 0,
    drafter = table,
  }: {
    rounds: number;
    right: (round: number) => number;
    cost: CostCurve;
    at?: number;
    drafter?: Drafter;
  },
): number[] {
  let position = at;
  const verified: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const context = contextOf(cost, [drafter], position);
    budgeting.split(context);
    const [kept] = budgeting.trim!([TokenTree.chain(0, [1, 1, 1, 1], "table")], context);
    const accepted = Math.min(kept!, right(round));
    const tokens = [...new Array(accepted).fill(1), right(round) > accepted ? 1 : 2];
    budgeting.observe({
      tokens,
      rows: 1 + kept!,
      bySource: { table: { drafted: kept!, accepted } },
    } as unknown as DecodeStep);
    position += tokens.length;
    verified.push(kept!);
  }
  return verified;
}

const last = (values: readonly number[], count = 10) => values.slice(-count);

describe("what a table drafts", () => {
  test("is verified where it becomes text, and left where it does not", () => {
    expect(
      new Set(last(play(autoBudget().start(), { rounds: 40, right: () => 4, cost: linear(0.15) }))),
    ).toEqual(new Set([4]));
    expect(
      new Set(last(play(autoBudget().start(), { rounds: 40, right: () => 0, cost: linear(0.15) }))),
    ).toEqual(new Set([0]));
    expect(
      new Set(last(play(autoBudget().start(), { rounds: 60, right: () => 2, cost: linear(0.15) }))),
    ).toEqual(new Set([2]));
  });

  test("is verified when it gets better, though nothing of it was verified for long", () => {
    const verified = play(autoBudget().start(), {
      rounds: 300,
      right: (round) => (round < 150 ? 0 : 4),
      cost: linear(0.15),
    });
    expect(verified[149]).toBe(0);
    expect(verified.at(-1)).toBe(4);
  });

  test("depends on the price of a row", () => {
    const half = (round: number) => (round % 2 === 0 ? 1 : 0);
    expect(
      last(play(autoBudget().start(), { rounds: 60, right: half, cost: linear(0.2) })).every((n) => n >= 1),
    ).toBe(true);
    expect(
      last(play(autoBudget().start(), { rounds: 60, right: half, cost: linear(0.8) })).every((n) => n === 0),
    ).toBe(true);
  });

  test("depends on what its nodes need besides their rows", () => {
    const probing = (price: number) => ({ ...table, cost: () => price }) as Drafter;
    const played = (drafter: Drafter) =>
      last(play(autoBudget().start(), { rounds: 60, right: () => 2, cost: linear(0.1), drafter }));
    expect(new Set(played(probing(0.5)))).toEqual(new Set([2]));
    expect(new Set(played(probing(5)))).toEqual(new Set([0]));
  });

  test("that loses is asked for in two rounds running, since what one probes is proposed in the next", () => {
    const budgeting = autoBudget().start();
    play(budgeting, { rounds: 40, right: () => 0, cost: linear(0.5) });
    const asked: boolean[] = [];
    for (let round = 0; round < 16; round++) {
      const context = contextOf(linear(0.5), [table], 40 + round);
      asked.push(budgeting.split(context)[0]! > 0);
      budgeting.observe({ tokens: [2], rows: 1, bySource: {} } as unknown as DecodeStep);
    }
    const rounds = asked.flatMap((isAsked, round) => (isAsked ? [round] : []));
    expect(rounds).toHaveLength(4);
    expect(rounds[1]! - rounds[0]!).toBe(1);
    expect(rounds[2]! - rounds[0]!).toBe(8);
  });

  test("that costs more than rows is tried ever more seldom, and asked for again once it pays", () => {
    const probing = { ...table, cost: (_, nodes) => (nodes === 0 ? 0 : 0.6) } as Drafter;
    const budgeting = autoBudget().start();
    const asked: number[] = [];
    let position = 0;
    const round = (right: boolean) => {
      const context = contextOf(linear(0.1), [probing], position);
      const [limit] = budgeting.split(context);
      if (limit! > 0) asked.push(position);
      const tree = limit! > 0 ? TokenTree.chain(0, right ? [1, 1, 1, 1] : [9, 9, 9, 9], "table") : undefined;
      const [kept] = budgeting.trim!([tree], context);
      budgeting.observe({ tokens: [1], rows: 1 + (kept ?? 0), bySource: {} } as unknown as DecodeStep);
      position++;
      return kept ?? 0;
    };
    for (let count = 0; count < 200; count++) round(false);
    const tries = asked.filter((at) => at > 40);
    expect(asked.length).toBeLessThan(24);
    expect(tries.length).toBeGreaterThan(1);
    const before = asked.length;
    let verified = 0;
    for (let count = 0; count < 800; count++) verified += round(true) > 0 ? 1 : 0;
    expect(asked.length).toBeGreaterThan(before + 50);
    expect(verified).toBeGreaterThan(50);
  });

  test("an own estimate of the drafter counts before anything was seen", () => {
    const context = contextOf(linear(0.3), [table], 5);
    const budgeting = autoBudget().start();
    budgeting.split(context);
    expect(budgeting.trim!([TokenTree.chain(0, [1, 1, 1], "table", [0.9, 0.5, 0.1])], context)).toEqual([2]);
  });
});

describe("what is drawn", () => {
  /** Offers a drawn tree of the size asked for, of which so many tokens are right. */
  function draw(rounds: number, right: (round: number) => number, perRow = 0.1): number[] {
    const budgeting = autoBudget().start();
    let position = 0;
    return Array.from({ length: rounds }, (_, round) => {
      const context = contextOf(linear(perRow), [drawn], position);
      const [limit] = budgeting.split(context);
      const tree = TokenTree.chain(0, new Array(limit).fill(1), "drawn");
      expect(budgeting.trim!([limit === 0 ? undefined : tree], context)).toEqual([limit]);
      const accepted = Math.min(limit!, right(round));
      const tokens = [...new Array(accepted).fill(1), 2];
      budgeting.observe({
        tokens,
        rows: 1 + limit!,
        bySource: { drawn: { drafted: limit!, accepted } },
      } as unknown as DecodeStep);
      position += tokens.length;
      return limit!;
    });
  }

  test("is asked for as long as it pays, at most what the drafter prefers", () => {
    expect(draw(1, () => 6)[0]).toBeGreaterThan(0);
    expect(last(draw(60, () => 6)).every((limit) => limit === 6)).toBe(true);
    expect(last(draw(60, () => 2)).every((limit) => limit === 2)).toBe(true);
  });

  test("is switched off where it loses, and tried again now and then", () => {
    const limits = draw(600, () => 0);
    const tries = limits.slice(100).filter((limit) => limit > 0).length;
    expect(tries).toBeGreaterThan(0);
    expect(tries).toBeLessThan(15);
    const recovered = draw(900, (round) => (round < 200 ? 0 : 6));
    expect(last(recovered).every((limit) => limit === 6)).toBe(true);
  });
});

test("says what it chose, and whether prices were measured", () => {
  const budgeting = autoBudget().start();
  expect(budgeting.explain!()).toEqual([]);
  play(budgeting, { rounds: 10, right: () => 0, cost: { ...linear(0.5), isMeasured: false } });
  expect(budgeting.explain!()).toEqual([
    "10 of 10 passes verified nothing",
    "table: 0 of 40 drafted nodes were worth a row, 0 became text",
    "passes of 2, 4 and 8 rows cost 1.50, 2.50, 4.50 passes of one row; assumed, not measured on this machine",
  ]);
});

test("a fork goes on from what was learnt, on its own", () => {
  const cost = linear(0.15);
  const budgeting = autoBudget().start();
  play(budgeting, { rounds: 40, right: () => 4, cost });
  const fork = budgeting.fork();
  play(fork, { rounds: 60, right: () => 0, cost, at: 200 });
  expect(play(budgeting.fork(), { rounds: 1, right: () => 4, cost, at: 200 })).toEqual([4]);
  expect(play(fork, { rounds: 1, right: () => 0, cost, at: 260 })).toEqual([0]);
});

test("text that jumps, as a new question does, says nothing about the trees before it", () => {
  const cost = linear(0.15);
  const open = autoBudget().start();
  open.split(contextOf(cost, [table], 0));
  open.trim!([TokenTree.chain(0, [1, 1, 1, 1], "table", [0.9, 0.9, 0.9, 0.9])], contextOf(cost, [table], 0));
  // The tree waits for its text; the next round stands elsewhere.
  expect(play(open, { rounds: 30, right: () => 4, cost, at: 500 }).at(-1)).toBe(4);
});

describe("the next answer", () => {
  const probing = { ...table, cost: (_, nodes) => (nodes === 0 ? 0 : 0.6) } as Drafter;
  const model = { cost: linear(0.1) } as Model;
  /** Rounds in which a drafter was asked for, in an answer that its trees are wrong about. */
  const asked = (budget: Budget, drafter: Drafter, mayTime: boolean) => {
    const budgeting = budget.start();
    let rounds = 0;
    for (let position = 0; position < 60; position++) {
      const context = { model, drafters: [drafter], context: position, room: 100, mayTime };
      const [limit] = budgeting.split(context);
      if (limit! > 0) rounds++;
      budgeting.trim!([limit! > 0 ? TokenTree.chain(0, [9, 9], "table") : undefined], context);
      budgeting.observe({
        tokens: [1],
        rows: 1,
        bySource: {},
        times: { passMs: 10 },
      } as unknown as DecodeStep);
    }
    return rounds;
  };

  test("does not try again at once what cost more than rows and did not pay", () => {
    const budget = autoBudget();
    const first = asked(budget, probing, true);
    expect(asked(budget, probing, true)).toBeLessThan(first / 2);
    expect(asked(budget, { ...probing, name: "other" }, true)).toBe(first);
  });

  test("asks tables afresh, and everything where a seed must give its text again", () => {
    const budget = autoBudget();
    expect([1, 2].map(() => asked(budget, table, true))).toEqual(
      Array(2).fill(asked(autoBudget(), table, true)),
    );
    const alone = asked(autoBudget(), probing, false);
    expect([1, 2].map(() => asked(budget, probing, false))).toEqual([alone, alone]);
  });

  test("of another model begins at the beginning", () => {
    const budget = autoBudget();
    asked(budget, probing, true);
    const firstLimit = (of: Model) =>
      budget.start().split({ model: of, drafters: [probing], context: 0, room: 100, mayTime: true })[0]!;
    expect(firstLimit({ ...model })).toBeGreaterThan(0);
    expect(firstLimit(model)).toBe(0);
  });
});

test.each([0, 1.5, -1])("refuses nodes: %d", (nodes) => {
  expect(() => autoBudget({ nodes })).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
