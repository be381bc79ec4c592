import {
  type Decision,
  drawAndMatch,
  generate,
  type Model,
  rejection,
  speculative,
  type Trial,
  type Verifier,
  type VisitedNode,
} from "@foretoken/core";
import { randomDrafter, randomLaw, scriptedModel, verifierChecks } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { scriptedJudge } from "./__fixtures__/scripted-judge.ts";
import { visitedNode } from "./__fixtures__/visited-node.ts";
import { type JudgeOptions, judge } from "./index.ts";
import { type JudgeHead, judgeScore } from "./judge-head.ts";

type Options = JudgeOptions & { readonly head: JudgeHead };
type Make = (options: Options) => Verifier;

/** What can be wrong with a judge. */
type JudgeBug =
  | "asks the judge before the inner rule"
  | "decides without the inner rule"
  | "takes the first draft above the threshold"
  | "accepts at the threshold"
  | "takes NaN for agreement"
  | "reads the row of the parent"
  | "reads the embeddings"
  | "accepts banned tokens"
  | "accepts end tokens"
  | "never counts overrides"
  | "never begins the count anew"
  | "uses a random number of the inner rule"
  | "promises what its inner rule does";

/** A judge of a head written a second time, right unless given a bug. */
function brokenJudge({ head, threshold = head.threshold, ...options }: Options, bug?: JudgeBug): Verifier {
  const { verifier: inner = drawAndMatch(), consecutive = 4, protect = [] } = options;
  const start = (model?: Model) => {
    const rule = inner.start(model);
    const ends = model?.tokenizer?.endTokens ?? new Set<number>();
    const site = bug === "reads the embeddings" ? 0 : (model?.layers ?? 0);
    let run = 0;
    const isAbove = (score: number) => {
      if (bug === "takes NaN for agreement") return !(score <= threshold);
      return bug === "accepts at the threshold" ? score >= threshold : score > threshold;
    };
    const visit = async (node: VisitedNode): Promise<Decision> => {
      if (node.node === 0) run = 0;
      const decision = await rule.visit(node);
      if (bug === "uses a random number of the inner rule") node.random.uniform(node.position, "accept", 0);
      const isAsked = decision.kind === "emit" || bug === "asks the judge before the inner rule";
      let best: { trial: Trial; score: number } | undefined;
      const possible = await node.law({ temperature: 1 });
      for (const trial of node.trials) {
        if (protect.includes(trial.token)) continue;
        if (ends.has(trial.token) && bug !== "accepts end tokens") continue;
        if (possible.probability(trial.token) === 0 && bug !== "accepts banned tokens") continue;
        const row = bug === "reads the row of the parent" ? node.node : trial.child;
        const score = judgeScore(head, await node.hidden(site, row));
        const isBetter =
          best === undefined || (score > best.score && bug !== "takes the first draft above the threshold");
        if (isAbove(score) && isBetter) best = { trial, score };
      }
      if (
        bug === "decides without the inner rule" &&
        decision.kind === "descend" &&
        best?.trial !== decision.trial
      ) {
        return { kind: "emit", token: possible.mode() };
      }
      const isLimited = run >= consecutive && bug !== "never counts overrides";
      if (!isAsked || best === undefined || isLimited) {
        if (bug !== "never begins the count anew" || node.node === 0) run = 0;
        return decision;
      }
      run++;
      return { kind: "descend", trial: best.trial };
    };
    return { visit };
  };
  const { requirements } = judge({ head, threshold, ...options });
  const isInner = threshold === 1 || bug === "promises what its inner rule does";
  return {
    name: "judge",
    requirements,
    guarantee: () => (isInner ? inner.guarantee() : { level: "altered", reasons: ["a judge"] }),
    start,
  };
}

const LAW = [0.05, 0.15, 0.15, 0.15, 0.5];
const head = scriptedJudge([1], 0, 4);
const at = async (verifier: Verifier, script: Partial<Parameters<typeof visitedNode>[0]>) => {
  const decision = await verifier.start().visit(visitedNode({ law: LAW, drafts: [1, 2, 3], ...script }));
  return decision.kind === "emit" ? -1 : decision.trial.token;
};

/** Twelve answers of a scripted model, whose states tell the row's own token. */
async function textsOf(verifier: Verifier): Promise<readonly (readonly number[])[]> {
  const law = randomLaw({ seed: 3, vocabularySize: 6 });
  const model = scriptedModel({ vocabularySize: 6, law, tokenizer: { endTokens: [5] } });
  const decoder = speculative({ drafters: randomDrafter({ seed: 8, vocabularySize: 6 }), verifier });
  const texts: (readonly number[])[] = [];
  for (let seed = 0; seed < 12; seed++) {
    const options = { prompt: [seed % 5], maxTokens: 25, seed, temperature: seed % 2 };
    texts.push((await generate(model, { ...options, decoder })).tokens);
  }
  return texts;
}

const CHECKS: Readonly<Record<string, (make: Make) => Promise<void>>> = {
  "the inner rule goes first": async (make) => {
    expect(await at(make({ head }), { drafts: [1, 4], states: [5, -5] })).toBe(4);
    expect(await at(make({ head }), { drafts: [4], states: [-5] })).toBe(4);
  },
  "the best refused draft is taken": async (make) => {
    expect(await at(make({ head }), { states: [1, 3, 2] })).toBe(2);
    expect(await at(make({ head }), { states: [2, 2, 1] })).toBe(1);
    expect(await at(make({ head }), { states: [-1, -3, -2] })).toBe(-1);
  },
  "a score must be above the threshold": async (make) => {
    expect(await at(make({ head }), { states: [0, 0, Number.NaN] })).toBe(-1);
    expect(await at(make({ head }), { states: [Number.NaN, Number.NaN, Number.NaN] })).toBe(-1);
  },
  "no token without mass is taken": async (make) => {
    expect(await at(make({ head }), { law: [0, 0, 0.3, 0, 0.7], states: [5, 4, 5] })).toBe(2);
  },
  "overrides in a row are limited": async (make) => {
    const verification = make({ head, consecutive: 2 }).start();
    const kinds: string[] = [];
    for (const [node, draft] of [1, 1, 1].entries()) {
      const visited = visitedNode({ law: LAW, drafts: [draft], states: [5], node, position: node + 1 });
      kinds.push((await verification.visit(visited)).kind);
    }
    expect(kinds).toEqual(["descend", "descend", "emit"]);
  },
  "the limit counts anew behind the inner rule's drafts": async (make) => {
    const verification = make({ head, consecutive: 1 }).start();
    const kinds: string[] = [];
    for (const [node, draft] of [1, 4, 1].entries()) {
      const visited = visitedNode({ law: LAW, drafts: [draft], states: [5], node, position: node + 1 });
      kinds.push((await verification.visit(visited)).kind);
    }
    expect(kinds).toEqual(["descend", "descend", "descend"]);
  },
  "the state is that of the draft's row behind the last layer": async (make) => {
    const model = scriptedModel({ vocabularySize: 5, layers: 3, width: 4, next: () => 0 });
    const sites: unknown[] = [];
    const node = visitedNode({ law: LAW, drafts: [1, 2], states: [-3, 3], sites });
    const rows: number[] = [];
    const hidden: VisitedNode["hidden"] = (site, row) => {
      rows.push(row);
      return node.hidden(site, row);
    };
    await make({ head })
      .start(model)
      .visit({ ...node, hidden });
    expect(new Set(sites)).toEqual(new Set([3]));
    expect(rows).toEqual([1, 2]);
  },
  "no end token is taken": async (make) => {
    const model = scriptedModel({
      vocabularySize: 5,
      width: 4,
      next: () => 0,
      tokenizer: { endTokens: [2] },
    });
    const node = visitedNode({ law: LAW, drafts: [1, 2], states: [2, 3] });
    expect(await make({ head }).start(model).visit(node)).toMatchObject({ trial: { token: 1 } });
  },
  "random numbers are the inner rule's": async (make) => {
    const checks = verifierChecks(() => make({ head, verifier: rejection() }));
    await checks.find(({ name }) => name.startsWith("random numbers"))!.run();
  },
  "a judge that overrides promises nothing": async (make) => {
    expect(make({ head }).guarantee().level).toBe("altered");
  },
};

const CAUGHT_BY: Readonly<Record<JudgeBug, keyof typeof CHECKS>> = {
  "asks the judge before the inner rule": "the inner rule goes first",
  "decides without the inner rule": "the inner rule goes first",
  "takes the first draft above the threshold": "the best refused draft is taken",
  "accepts at the threshold": "a score must be above the threshold",
  "takes NaN for agreement": "a score must be above the threshold",
  "reads the row of the parent": "the state is that of the draft's row behind the last layer",
  "reads the embeddings": "the state is that of the draft's row behind the last layer",
  "accepts banned tokens": "no token without mass is taken",
  "accepts end tokens": "no end token is taken",
  "never counts overrides": "overrides in a row are limited",
  "never begins the count anew": "the limit counts anew behind the inner rule's drafts",
  "uses a random number of the inner rule": "random numbers are the inner rule's",
  "promises what its inner rule does": "a judge that overrides promises nothing",
};

describe.each<[string, Make]>([
  ["the judge", judge],
  ["a judge written a second time", brokenJudge],
])("%s", (_, make) => {
  test.each(Object.entries(CHECKS))("%s", (_name, check) => check(make));
});

test("both give the same texts", async () => {
  const head = scriptedJudge([1, 0, 0, 1e-7], -3.5);
  for (const verifier of [drawAndMatch(), rejection()]) {
    const options: Options = { head, verifier, consecutive: 2 };
    expect(await textsOf(brokenJudge(options))).toEqual(await textsOf(judge(options)));
  }
});

test.each(Object.entries(CAUGHT_BY))("a judge that %s fails", async (bug, name) => {
  await expect(CHECKS[name]((options) => brokenJudge(options, bug as JudgeBug))).rejects.toThrow();
});
