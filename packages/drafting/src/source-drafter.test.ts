import { lawStateFor, seededRandom } from "@foretoken/core";
import { scriptedModel, scriptedSource } from "@foretoken/testing";
import { expect, test } from "vitest";
import { sourceDrafter } from "./source-drafter.ts";

const model = scriptedModel({ vocabularySize: 4, next: () => 0 });
const law = lawStateFor({ temperature: 1 }, { vocabularySize: 4, promptTokens: [] });
const source = scriptedSource({ law: () => [0.4, 0.3, 0.2, 0.1] });

async function drafting(drawn: number[]) {
  const drafter = sourceDrafter({
    name: "three numbers",
    source,
    defaultLimit: 3,
    passes: () => 1,
    warp: { topK: 2 },
    async grow({ tree, expand, uniform }) {
      const [behindRoot] = await expand([0]);
      for (let draws = 0; draws < 3; draws++) drawn.push(uniform());
      tree.add(0, behindRoot!.mode(), behindRoot!, "three numbers");
    },
  });
  const session = model.createSession();
  return { session, drafting: drafter.start({ model, session, missingPrefix: 0 }) };
}

test("noise is fresh with every call, every round and every place, and the same for the same seed", async () => {
  const propose = async () => {
    const drawn: number[] = [];
    const { session, drafting: state } = await drafting(drawn);
    for (let round = 0; round < 3; round++) {
      await state.propose(0, 3, { random: seededRandom(7), law });
      session.commit((await session.forward([{ token: 0 }])).rows);
    }
    return drawn;
  };
  const drawn = await propose();
  expect(new Set(drawn).size).toBe(9);
  expect(await propose()).toEqual(drawn);
});

test("laws are warped as the strategy asks", async () => {
  const { drafting: state } = await drafting([]);
  const tree = await state.propose(0, 3, { random: seededRandom(7), law });
  const { proposal } = tree.nodes[0]!.trials[0]!;
  expect(proposal).toMatchObject({ vocabularySize: 4 });
  if (proposal === "point") throw new Error("The trial was drawn.");
  expect([0, 1, 2, 3].map((token) => proposal.probability(token))).toEqual(
    [4 / 7, 3 / 7, 0, 0].map((share) => expect.closeTo(share, 6)),
  );
});

test("nothing is drawn, and no pass run, behind the last level that can become text", async () => {
  const grown: unknown[] = [];
  const deep = sourceDrafter({
    name: "a chain",
    source,
    defaultLimit: 4,
    passes: (nodes) => nodes,
    async grow({ tree, expand, limit }) {
      for (let node = 0; tree.size < limit; ) {
        const [behind] = await expand([node]);
        grown.push(behind?.mode());
        if (behind === undefined) return;
        node = tree.add(node, behind.mode(), behind, "a chain");
      }
    },
  }).start({ model, session: model.createSession(), missingPrefix: 0 });
  const tree = await deep.propose(0, 4, { random: seededRandom(7), law, depth: 2 });
  expect([tree.size, grown]).toEqual([2, [0, 0, undefined]]);
  deep.dispose();
});

test("forks and disposes the source's state with its own", async () => {
  const { drafting: state } = await drafting([]);
  const before = source.counts.live;
  const fork = state.fork(model.createSession());
  expect(source.counts.live).toBe(before + 1);
  fork.dispose();
  state.dispose();
  expect(source.counts.live).toBe(before - 1);
});
