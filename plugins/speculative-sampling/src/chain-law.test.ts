import {
  type Decision,
  denseLaw,
  type TokenLaw,
  TokenTree,
  type Verification,
  type VisitedNode,
} from "@foretoken/core";
import { type CompareDraftsOptions, compareDrafts, fitsLaw } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import type { SpeculativeSamplingOptions } from "./options.ts";
import { speculativeSampling } from "./speculative-sampling.ts";

/** 300,000 were drawn once; see the README. */
const DRAWS = Number(process.env.FORETOKEN_LAW_DRAWS ?? 6_000);

type Chain = Omit<SpeculativeSamplingOptions, "source">;
type Faults = Pick<CompareDraftsOptions, "mutate" | "verification">;

const CASES: Readonly<Record<string, Chain & Pick<CompareDraftsOptions, "holes" | "endTokens">>> = {
  "one token": { length: 1 },
  "four tokens, more than the text is long": { length: 4 },
  "laws with holes": { length: 3, holes: 0.35 },
  "a draft cut to two tokens": { length: 3, topK: 2 },
  "a draft cut to its best token": { length: 2, topK: 1 },
  "a draft of its most probable tokens": { length: 3, temperature: 0 },
  "a cold draft": { length: 3, temperature: 0.3 },
  "a hot draft": { length: 3, temperature: 3 },
  "an end token inside the chain": { length: 4, endTokens: [3] },
};

describe("texts have the target's exact law with", () => {
  test.each(Object.entries(CASES))("%s", async (_, { holes, endTokens, ...chain }) => {
    const makeDrafter: CompareDraftsOptions["makeDrafter"] = (source) =>
      speculativeSampling({ source, ...chain });
    const found = await compareDrafts({ makeDrafter, draws: DRAWS, holes, endTokens });
    expect(fitsLaw(found), JSON.stringify(found)).toBe(true);
  });
});

/** Rejection sampling of a chain with its steps open to faults. */
const verifying = ({
  accepts = (uniform: number, p: number, q: number) => uniform * p < q,
  rest = (target: TokenLaw, draft: TokenLaw) => target.residual(draft),
}): Verification => ({
  visit: async ({ law, trials, random, position }: VisitedNode): Promise<Decision> => {
    const target = await law();
    const trial = trials[0];
    if (trial === undefined) return { kind: "emit", token: target.draw(random.uniform(position, "token")) };
    const draft = trial.proposal as TokenLaw;
    const [p, q] = [draft.probability(trial.token), target.probability(trial.token)];
    if (accepts(random.uniform(position, "accept"), p, q)) return { kind: "descend", trial };
    return { kind: "emit", token: (rest(target, draft) ?? target).draw(random.uniform(position, "token")) };
  },
});

/** The same chain with other proposals than its tokens were drawn from. */
const claiming =
  (proposal: (own: TokenLaw, above: TokenLaw | undefined) => TokenLaw) => (tree: TokenTree) => {
    const copy = new TokenTree(tree.nodes[0]!.token);
    let above: TokenLaw | undefined;
    for (let node = 0; tree.nodes[node]!.trials.length > 0; ) {
      const trial = tree.nodes[node]!.trials[0]!;
      const own = trial.proposal as TokenLaw;
      node = copy.add(node, trial.token, proposal(own, above), trial.source);
      above = own;
    }
    return copy;
  };

const flat = denseLaw(Float64Array.of(1, 1, 1, 1));

const MUTATIONS: Readonly<Record<string, Faults>> = {
  "a refused draft is followed by a draw from the target's whole law": {
    verification: verifying({ rest: (target) => target }),
  },
  "a refused draft is followed by any other token": {
    verification: verifying({ rest: (target, draft) => target.without(draft.mode()) }),
  },
  "the residual is taken the wrong way round": {
    verification: verifying({ rest: (target, draft) => draft.residual(target) }),
  },
  "draft and target change places in the acceptance": {
    verification: verifying({ accepts: (uniform, p, q) => uniform * q < p }),
  },
  "a draft is accepted whenever the target finds it possible": {
    verification: verifying({ accepts: (_, __, q) => q > 0 }),
  },
  "a draft is accepted with the target's probability alone": {
    verification: verifying({ accepts: (uniform, _, q) => uniform < q }),
  },
  "the draft was drawn from other laws than it says": { mutate: claiming(() => flat) },
  "the draft says it could not have drawn its best token": {
    mutate: claiming((own) => own.without(own.mode()) ?? own),
  },
  "the draft's laws are one token late": { mutate: claiming((own, above) => above ?? own) },
};

const comparison = (faults: Faults, draws = 6_000) =>
  compareDrafts({ makeDrafter: (source) => speculativeSampling({ source, length: 3 }), draws, ...faults });

test("the law test passes rejection sampling as these tests write it", async () => {
  const found = await comparison({ verification: verifying({}) }, DRAWS);
  expect(fitsLaw(found), JSON.stringify(found)).toBe(true);
});

describe("the law test notices when", () => {
  test.each(Object.entries(MUTATIONS))("%s", async (_, faults) => {
    const found = await comparison(faults);
    expect(fitsLaw(found), JSON.stringify(found)).toBe(false);
  });
});
