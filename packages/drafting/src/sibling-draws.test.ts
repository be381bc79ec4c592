import { denseLaw, pointLaw, type TokenLaw, TokenTree } from "@foretoken/core";
import { expect, test } from "vitest";
import { ROOT_TIP, SiblingDraws } from "./sibling-draws.ts";
import type { Growth } from "./source-drafter.ts";

/** A growth whose laws are given by node, with the noise given in order. */
function growthWith(laws: readonly (TokenLaw | undefined)[], noise: readonly number[]): Growth {
  const left = [...noise];
  return {
    name: "test",
    tree: new TokenTree(9),
    limit: 8,
    expand: async (nodes) => nodes.map((node) => laws[node]),
    uniform: () => left.shift()!,
  };
}

const law = denseLaw(Float64Array.of(0.6, 0.3, 0.1));

test("siblings are drawn from what is left of the law, which each trial carries", async () => {
  const growth = growthWith([law], [0.7, 0.8, 0]);
  const [siblings] = await SiblingDraws.behind(growth, [ROOT_TIP]);
  // 0.7 falls on token 1; of the 0.6 and 0.1 left, 0.8 still falls on token 0.
  const tips = [siblings!.draw(), siblings!.draw(), siblings!.draw()];
  const { trials } = growth.tree.nodes[0]!;
  expect(trials.map(({ token }) => token)).toEqual([1, 0, 2]);
  expect(tips).toEqual([
    { node: 1, probability: expect.closeTo(0.3, 12) },
    { node: 2, probability: expect.closeTo(0.6, 12) },
    { node: 3, probability: expect.closeTo(0.1, 12) },
  ]);
  const proposed = trials.map(({ token, proposal }) => (proposal as TokenLaw).probability(token));
  expect(proposed).toEqual([0.3, 0.6 / 0.7, 1].map((share) => expect.closeTo(share, 12)));
});

test("mass is the path's probability times what is not drawn yet, and 0 when nothing is left", async () => {
  const growth = growthWith([law, law], [0, 0, 0, 0]);
  const [first] = await SiblingDraws.behind(growth, [ROOT_TIP]);
  expect(first!.mass).toBe(1);
  const tip = first!.draw();
  expect(first!.mass).toBeCloseTo(0.4, 12);
  const [behind] = await SiblingDraws.behind(growth, [tip]);
  const masses = [behind!.mass];
  for (let child = 0; child < 3; child++) {
    behind!.draw();
    masses.push(behind!.mass);
  }
  expect(masses.slice(0, 3)).toEqual([0.6, 0.24, 0.06].map((mass) => expect.closeTo(mass, 12)));
  expect(masses[3]).toBe(0);
});

test("nothing is drawn where the draft has no law, nor behind a certain token's sibling", async () => {
  const growth = growthWith([pointLaw(2, 3), undefined], [0.5]);
  const [certain] = await SiblingDraws.behind(growth, [ROOT_TIP]);
  const tip = certain!.draw();
  expect(certain!.mass).toBe(0);
  const [none] = await SiblingDraws.behind(growth, [tip]);
  expect(none!.mass).toBe(0);
  expect(await SiblingDraws.behind(growth, [])).toEqual([]);
});
