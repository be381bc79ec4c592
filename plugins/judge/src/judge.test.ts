import {
  type Decision,
  drawAndMatch,
  generate,
  plain,
  rejection,
  type SamplingOptions,
  seededRandom,
  speculative,
  TokenTree,
  type Trial,
} from "@foretoken/core";
import {
  oracleDrafter,
  randomDrafter,
  randomLaw,
  scriptedModel,
  textDrafter,
  wrongDrafter,
} from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { scriptedJudge } from "./__fixtures__/scripted-judge.ts";
import { type VisitedNodeScript, visitedNode } from "./__fixtures__/visited-node.ts";
import { judge } from "./judge.ts";
import type { JudgeOptions } from "./options.ts";
import type { Verdict } from "./verdict.ts";

/** The score is the sigmoid of the state's first value. */
const head = scriptedJudge([1], 0, 4);
/** What makes a score of this probability. */
const logit = (score: number) => Math.log(score / (1 - score));

const decide = (script: VisitedNodeScript, options: JudgeOptions = {}): Promise<Decision> =>
  judge({ head, ...options })
    .start()
    .visit(visitedNode(script));
const tokenOf = (decision: Decision) =>
  decision.kind === "emit" ? ["emit", decision.token] : ["descend", decision.trial.token];

/** Token 4 is the target's own. */
const LAW = [0.05, 0.15, 0.15, 0.15, 0.5];

describe("at one node", () => {
  test("takes the refused sibling with the highest score above the threshold", async () => {
    const script = { law: LAW, drafts: [1, 2, 3], states: [0.6, 0.9, 0.7].map(logit) };
    expect(tokenOf(await decide(script))).toEqual(["descend", 2]);
    expect(tokenOf(await decide(script, { threshold: 0.95 }))).toEqual(["emit", 4]);
  });

  test("among equal scores the one that was tried first", async () => {
    const script = { law: LAW, drafts: [3, 1, 2], states: [2, 2, 2] };
    expect(tokenOf(await decide(script))).toEqual(["descend", 3]);
  });

  test("a score exactly at the threshold is refused, and so is NaN", async () => {
    expect(tokenOf(await decide({ law: LAW, drafts: [1], states: [0] }))).toEqual(["emit", 4]);
    expect(tokenOf(await decide({ law: LAW, drafts: [1], states: [1e-6] }))).toEqual(["descend", 1]);
    const broken = { law: LAW, drafts: [1], states: [Number.NaN] };
    expect(tokenOf(await decide(broken, { threshold: 0 }))).toEqual(["emit", 4]);
  });

  test("the inner rule tries all siblings before the judge is asked", async () => {
    const sites: unknown[] = [];
    const script = { law: LAW, drafts: [1, 4], states: [9, -9], sites };
    expect(tokenOf(await decide(script))).toEqual(["descend", 4]);
    expect(sites).toEqual([]);
  });

  test("without drafts it is the inner rule", async () => {
    expect(tokenOf(await decide({ law: LAW, drafts: [] }))).toEqual(["emit", 4]);
  });

  test("a protected token is never taken, the next best one is", async () => {
    const script = { law: LAW, drafts: [1, 2, 3], states: [1, 3, 2] };
    expect(tokenOf(await decide(script, { protect: [2] }))).toEqual(["descend", 3]);
    expect(tokenOf(await decide(script, { protect: [1, 2, 3] }))).toEqual(["emit", 4]);
  });

  test("a token without mass is never taken: bans and grammars stay", async () => {
    const law = [0.2, 0, 0.2, 0, 0.6];
    const script = { law, drafts: [1, 3, 2], states: [5, 4, 3] };
    expect(tokenOf(await decide(script))).toEqual(["descend", 2]);
    expect(tokenOf(await decide({ ...script, drafts: [1, 3] }))).toEqual(["emit", 4]);
  });

  test("reads the state behind the last layer, at the draft's own row", async () => {
    const sites: unknown[] = [];
    const model = scriptedModel({ vocabularySize: 5, layers: 3, width: 4, next: () => 0 });
    const verification = judge({ head }).start(model);
    await verification.visit(visitedNode({ law: LAW, drafts: [1, 2], states: [1, 2], sites }));
    expect(sites).toEqual([3, 3]);
  });
});

/** Accepted drafts of a chain of `length` that the target never agrees with, by the scores of its tokens. */
async function acceptedOf(states: readonly number[], options: JudgeOptions): Promise<number> {
  const verification = judge({ head, ...options }).start();
  for (const [depth, state] of states.entries()) {
    const decision = await verification.visit(
      visitedNode({ law: LAW, drafts: [1], states: [state], node: depth, position: depth + 1 }),
    );
    if (decision.kind === "emit") return depth;
  }
  return states.length;
}

describe("along a path", () => {
  test("stops behind so many overrides in a row", async () => {
    const sure = Array.from({ length: 12 }, () => 9);
    expect(await acceptedOf(sure, {})).toBe(4);
    expect(await acceptedOf(sure, { consecutive: 1 })).toBe(1);
    expect(await acceptedOf(sure, { consecutive: 64 })).toBe(12);
  });

  test("a draft that the inner rule accepts begins the count anew, and so does a new round", async () => {
    const verification = judge({ head, consecutive: 2 }).start();
    const visit = async (node: number, draft: number) =>
      tokenOf(
        await verification.visit(visitedNode({ law: LAW, drafts: [draft], states: [9], node, position: 7 })),
      );
    const kinds: unknown[] = [];
    for (const [node, draft] of [1, 1, 4, 1, 1, 1].entries()) kinds.push((await visit(node, draft))[0]);
    expect(kinds).toEqual(["descend", "descend", "descend", "descend", "descend", "emit"]);
    // A round that the end of an answer cut short leaves two overrides behind.
    for (const node of [0, 1]) expect((await visit(node, 1))[0]).toBe("descend");
    expect((await visit(0, 1))[0]).toBe("descend");
  });

  test("accepts no more at a higher threshold, and never less than the inner rule", async () => {
    const random = seededRandom(5);
    for (let chain = 0; chain < 200; chain++) {
      const states = Array.from({ length: 6 }, (_, depth) => 6 * random.uniform(chain, "draft", depth) - 3);
      const lengths: number[] = [];
      for (const threshold of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
        lengths.push(await acceptedOf(states, { threshold, consecutive: 64 }));
      }
      expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
      expect(lengths.at(0)).toBe(6);
      expect(lengths.at(-1)).toBe(0);
    }
  });
});

const law = randomLaw({ seed: 3, vocabularySize: 6 });
const prompt = [0, 1, 2];

/** One answer of 30 tokens, and what the judge decided. */
async function answer(
  options: JudgeOptions,
  {
    drafter = "wrong",
    ...sampling
  }: SamplingOptions & { readonly drafter?: "wrong" | "oracle" | "random"; readonly seed?: number } = {},
) {
  const model = scriptedModel({ vocabularySize: 6, law, tokenizer: { endTokens: [5] } });
  const verdicts: Verdict[] = [];
  const drafters = {
    wrong: wrongDrafter(model, { defaultLimit: 4 }),
    oracle: oracleDrafter(model),
    random: randomDrafter({ seed: 8, vocabularySize: 6 }),
  }[drafter];
  const verifier = judge({ onVerdict: (verdict) => verdicts.push(verdict), ...options });
  const decoder = speculative({ drafters, verifier });
  const generation = await generate(model, { prompt, decoder, maxTokens: 30, seed: 4, ...sampling });
  const by = (who: Verdict["by"]) => verdicts.filter((verdict) => verdict.by === who).length;
  return { ...generation, verdicts, by };
}

/** Drafts of every token, and an answer that does not end early. */
const RANDOM = { drafter: "random", bannedTokens: [5], temperature: 1 } as const;

describe("in a decoder", () => {
  test("with nothing protected and threshold 0 every draft of every pass is accepted", async () => {
    const model = scriptedModel({ vocabularySize: 6, law });
    const verifier = judge({ head: scriptedJudge([0], 3), threshold: 0, consecutive: 64 });
    const decoder = speculative({ drafters: wrongDrafter(model, { defaultLimit: 4 }), verifier });
    const { report } = await generate(model, { prompt, decoder, maxTokens: 31 });
    // The first token comes with the prompt, then six passes of four drafts and one token of the target's.
    expect(report).toMatchObject({ targetPasses: 6, drafted: 24, accepted: 24 });
  });

  test("a pass makes its accepted drafts and one token of the target final", async () => {
    const { tokens, report, by } = await answer({ head: scriptedJudge([1], -2.5) }, { bannedTokens: [5] });
    expect(by("judge")).toBeGreaterThan(3);
    expect(tokens).toHaveLength(30);
    expect(report.accepted).toBe(by("inner") + by("judge"));
    expect(1 + report.accepted + report.targetPasses).toBeGreaterThanOrEqual(tokens.length);
    expect(by("target")).toBeGreaterThanOrEqual(report.targetPasses - 1);
  });

  test("judges each draft by the row that consumed it", async () => {
    // Scores tell the row's own token: above one half from token 3 on.
    const { verdicts } = await answer({ head: scriptedJudge([1], -2.5) }, RANDOM);
    const judged = verdicts.flatMap((verdict) => verdict.judged);
    expect(new Set(judged.map(({ token }) => token)).size).toBeGreaterThan(3);
    for (const { token, score } of judged) expect(logit(score)).toBeCloseTo(token - 2.5, 4);
    for (const { by, token } of verdicts) if (by === "judge") expect(token).toBeGreaterThanOrEqual(3);
  });

  test("reads states of the last layer that the model returns", async () => {
    const { verdicts } = await answer({ head: scriptedJudge([0, 0, 1], -4) }, RANDOM);
    expect(verdicts.length).toBeGreaterThan(5);
    // The third value is the site, the scripted model has four layers: every score is the sigmoid of 0.
    for (const { judged } of verdicts) for (const { score } of judged) expect(score).toBe(0.5);
  });

  test("never accepts an end token against the target, whatever it thinks", async () => {
    let refused = 0;
    for (let seed = 0; seed < 40; seed++) {
      const weight = Array.from({ length: 4 }, (_, at) => seededRandom(seed).uniform(0, "draft", at) * 4 - 1);
      const options: JudgeOptions = { head: scriptedJudge(weight, 2), threshold: 0.1 };
      const { verdicts } = await answer(options, { drafter: "random", temperature: 1, seed });
      expect(verdicts.filter(({ by, token }) => by === "judge" && token === 5)).toEqual([]);
      refused += verdicts.filter(({ by }) => by === "judge").length;
    }
    expect(refused).toBeGreaterThan(40);
  });

  test("control tokens are accepted only where they may be judged", async () => {
    const tokenizer = { specialTokens: [1, 2], endTokens: [2] };
    const model = scriptedModel({ vocabularySize: 5, next: () => 4, tokenizer });
    const script = { law: LAW, drafts: [2, 1], states: [6, 5] };
    const decideWith = async (judgeControlTokens: boolean) =>
      tokenOf(await judge({ head, judgeControlTokens }).start(model).visit(visitedNode(script)));
    expect(await decideWith(false)).toEqual(["emit", 4]);
    expect(await decideWith(true)).toEqual(["descend", 1]);
  });

  test("a banned token stays banned at every temperature", async () => {
    const options: JudgeOptions = { head: scriptedJudge([0], 3) };
    for (const temperature of [0, 1]) {
      const { tokens, by } = await answer(options, {
        drafter: "random",
        bannedTokens: [1, 5],
        temperature,
      });
      expect(by("judge")).toBeGreaterThan(3);
      expect(tokens).not.toContain(1);
    }
  });

  test.each([
    ["draw-and-match", drawAndMatch],
    ["rejection", rejection],
  ])("threshold 1 is %s: same tokens, same guarantee, nothing asked of the model", async (_, make) => {
    const model = scriptedModel({ vocabularySize: 6, law, tokenizer: { endTokens: [5] } });
    const drafters = randomDrafter({ seed: 8, vocabularySize: 6 });
    const judged = speculative({ drafters, verifier: judge({ verifier: make(), threshold: 1 }) });
    const inner = speculative({ drafters, verifier: make() });
    expect(judged.requirements(model)).toEqual(inner.requirements(model));
    expect(judged.guarantee().level).toBe(inner.guarantee().level);
    for (const temperature of [0, 0.7, 1]) {
      for (let seed = 0; seed < 10; seed++) {
        const options = { prompt, maxTokens: 30, seed, temperature };
        const expected = await generate(model, { ...options, decoder: inner });
        const { tokens, report } = await generate(model, { ...options, decoder: judged });
        expect(tokens).toEqual(expected.tokens);
        expect(report.accepted).toBe(expected.report.accepted);
      }
    }
  });

  test("with a judge that never agrees, the text is plain decoding's with the same seed", async () => {
    const model = scriptedModel({ vocabularySize: 6, law, tokenizer: { endTokens: [5] } });
    const options = { prompt, maxTokens: 30, seed: 9, temperature: 1 };
    const expected = await generate(model, { ...options, decoder: plain() });
    const { tokens } = await answer({ head: scriptedJudge([0], -30) }, { ...options, drafter: "random" });
    expect(tokens).toEqual(expected.tokens);
  });

  test("promises nothing below threshold 1, and says why", () => {
    for (const verifier of [drawAndMatch(), rejection()]) {
      expect(judge({ head, verifier }).guarantee()).toMatchObject({
        level: "altered",
        reasons: [expect.stringContaining("judge")],
      });
    }
    expect(judge({ threshold: 1 }).guarantee().reasons).toHaveLength(2);
  });
});

test("siblings drawn twice are judged once", async () => {
  const tree = new TokenTree(0);
  for (const token of [1, 2, 1]) tree.add(0, token, "point", "chosen");
  const trials: readonly Trial[] = tree.nodes[0].trials;
  const verdicts: Verdict[] = [];
  const node = { ...visitedNode({ law: LAW, drafts: [1, 2], states: [-1, -2] }), trials };
  await judge({ head, onVerdict: (verdict) => verdicts.push(verdict) })
    .start()
    .visit(node);
  expect(verdicts[0].judged.map(({ token }) => token)).toEqual([1, 2]);
});

test("a draft behind an accepted one is judged in the text that holds it", async () => {
  const model = scriptedModel({ vocabularySize: 6, next: () => 0 });
  const seen: Verdict[] = [];
  const drafters = textDrafter({
    name: "pair",
    propose: (text) => TokenTree.chain(text.at(-1)!, [3, 2], "pair"),
  });
  // The first token before its own: 3 for the second draft once the first was accepted.
  const head = scriptedJudge([0, 0, 0, 0, 1], 0);
  const verifier = judge({ head, threshold: 0.1, onVerdict: (verdict) => seen.push(verdict) });
  await generate(model, { prompt: [1], decoder: speculative({ drafters, verifier }), maxTokens: 4 });
  expect(seen.slice(0, 2).map(({ judged }) => Math.round(logit(judged[0].score)))).toEqual([0, 3]);
});
