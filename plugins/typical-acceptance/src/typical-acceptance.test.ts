import {
  type Drafter,
  denseLaw,
  generate,
  plain,
  pointLaw,
  seededRandom,
  speculative,
  type TokenId,
  TokenTree,
  type Verifier,
} from "@foretoken/core";
import {
  oracleDrafter,
  randomDrafter,
  randomLaw,
  scriptedModel,
  silentDrafter,
  wrongDrafter,
} from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import type { TypicalAcceptanceOptions } from "./options.ts";
import { typicalAcceptance } from "./typical-acceptance.ts";

/** What a verifier decides at one node with these drafts behind it. */
async function decide(
  verifier: Verifier,
  law: readonly number[],
  drafts: readonly TokenId[],
  { isGreedy = false, seed = 1 } = {},
) {
  const tree = new TokenTree(0);
  for (const draft of drafts) tree.add(0, draft, "point", "chosen");
  const open = denseLaw(Float64Array.from(law));
  const decision = await verifier.start().visit({
    node: 0,
    position: 1,
    trials: tree.nodes[0]!.trials,
    random: seededRandom(seed),
    law: async () => (isGreedy ? pointLaw(open.mode(), law.length) : open),
    hidden: async () => new Float32Array(4),
  });
  return decision.kind === "descend" ? `keeps ${decision.trial.token}` : `emits ${decision.token}`;
}

describe("greedy", () => {
  // e^-H is 0.265: at the default α a draft needs more than 0.0795, at ε = 0.05 more than that.
  const law = [0.5, 0.2, 0.2, 0.06, 0.04];

  test.each([
    ["the likeliest typical draft", [3, 1, 0], "keeps 0"],
    ["one that is not the target's likeliest, if it is typical", [1], "keeps 1"],
    ["among equals the one that was tried first", [2, 1], "keeps 2"],
    ["none that is not typical, but says the likeliest token", [3, 4], "emits 0"],
    ["nothing where nothing was drafted", [], "emits 0"],
  ])("keeps %s", async (_, drafts, decision) => {
    expect(await decide(typicalAcceptance(), law, drafts)).toBe(decision);
  });

  test("a lower ε makes more tokens typical, and a higher one is stopped by the entropy", async () => {
    expect(await decide(typicalAcceptance({ epsilon: 0.05 }), law, [3])).toBe("keeps 3");
    expect(await decide(typicalAcceptance({ epsilon: 0.06 }), law, [3])).toBe("emits 0");
    expect(await decide(typicalAcceptance({ epsilon: 1 }), law, [1])).toBe("keeps 1");
    expect(await decide(typicalAcceptance({ epsilon: 1, alpha: 0.9 }), law, [1])).toBe("emits 0");
  });

  test("never keeps a token without probability", async () => {
    expect(await decide(typicalAcceptance({ epsilon: 0 }), [0.5, 0, 0.5], [1])).toBe("emits 0");
  });
});

describe("typical", () => {
  const law = [0.5, 0.2, 0.2, 0.06, 0.04];

  test("draws the same token whatever is drafted, never one that is not typical", async () => {
    const verifier = typicalAcceptance({ mode: "typical" });
    const drawn = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const alone = (await decide(verifier, law, [], { seed })).replace("emits ", "");
      drawn.add(alone);
      for (const drafts of [[0], [3, 1, 4], [2, 0, 1]]) {
        const kind = drafts.includes(Number(alone)) ? "keeps" : "emits";
        expect(await decide(verifier, law, drafts, { seed })).toBe(`${kind} ${alone}`);
      }
    }
    expect([...drawn].sort()).toEqual(["0", "1", "2"]);
  });
});

const MODES: readonly TypicalAcceptanceOptions[] = [{ mode: "greedy" }, { mode: "typical" }];
const script = { vocabularySize: 8, law: randomLaw({ seed: 4, vocabularySize: 8, order: 2 }) };
const answer = (
  drafters: (model: ReturnType<typeof scriptedModel>) => Drafter,
  verifier: Verifier,
  options: object,
) => {
  const model = scriptedModel(script);
  return generate(model, {
    prompt: [1, 2, 3],
    maxTokens: 60,
    ...options,
    decoder: speculative({ drafters: drafters(model), verifier }),
  });
};
const DRAFTERS = {
  silent: () => silentDrafter(),
  random: () => randomDrafter({ seed: 8, vocabularySize: 8 }),
  oracle: (model: ReturnType<typeof scriptedModel>) => oracleDrafter(model, { peeks: true }),
  wrong: (model: ReturnType<typeof scriptedModel>) => wrongDrafter(model),
};

test.each(MODES)("at temperature 0 the text is the target's own: %j", async (options) => {
  const expected = await generate(scriptedModel(script), {
    prompt: [1, 2, 3],
    maxTokens: 60,
    decoder: plain(),
  });
  for (const drafters of Object.values(DRAFTERS)) {
    const { tokens } = await answer(drafters, typicalAcceptance(options), { temperature: 0 });
    expect(tokens).toEqual(expected.tokens);
  }
});

test("typical writes the same text for a seed with every drafter; greedy draws nothing, but goes where drafts lead", async () => {
  const texts = async (options: TypicalAcceptanceOptions, seed: number) =>
    Promise.all(
      Object.values(DRAFTERS).map(async (drafters) =>
        (await answer(drafters, typicalAcceptance(options), { temperature: 0.9, seed })).tokens.join(),
      ),
    );
  expect(new Set(await texts({ mode: "typical" }, 3)).size).toBe(1);
  expect(new Set(await texts({ mode: "greedy" }, 3)).size).toBeGreaterThan(1);
});

test("keeps more drafts than the target would draw", async () => {
  const kept = async (verifier: Verifier | undefined) => {
    const model = scriptedModel(script);
    const decoder = speculative({ drafters: randomDrafter({ seed: 8, vocabularySize: 8 }), verifier });
    const { report } = await generate(model, {
      prompt: [1, 2],
      maxTokens: 300,
      temperature: 1,
      seed: 2,
      decoder,
    });
    return report.accepted / report.targetPasses;
  };
  expect(await kept(typicalAcceptance())).toBeGreaterThan(1.3 * (await kept(undefined)));
});
