import {
  DecodeEmitter,
  type Decoder,
  generate,
  plain,
  rejection,
  type SamplingOptions,
  type StepEvent,
  speculative,
  stream,
} from "@foretoken/core";
import {
  auditedDrafter,
  faultyDrafter,
  newAudit,
  oracleDrafter,
  randomDrafter,
  randomLaw,
  type ScriptedModelOptions,
  sampledDrafter,
  scriptedModel,
} from "@foretoken/testing";
import { expect, test } from "vitest";
import { cautiousText, type Mistake } from "./__fixtures__/cautious-text.ts";
import { cntp } from "./cntp.ts";
import type { CntpOptions } from "./options.ts";
import type { TrialsReport } from "./trials-report.ts";

const V = 8;
const END = 7;
const punctuation = [2, 5];
const script: ScriptedModelOptions = {
  vocabularySize: V,
  law: randomLaw({ seed: 3, vocabularySize: V, order: 3, holes: 0.3 }),
  tokenizer: { endTokens: [END] },
};
const PROMPT = [0, 3, 1];
const SAMPLINGS: readonly SamplingOptions[] = [
  { temperature: 1 },
  { temperature: 0.6, topP: 0.95 },
  { temperature: 1.4, topK: 5, frequencyPenalty: 0.4 },
];

/** One answer, with what was told about its trials. */
async function write(options: CntpOptions, seed: number, sampling: SamplingOptions = { temperature: 1 }) {
  const model = scriptedModel(script);
  const trials: TrialsReport[] = [];
  const decoder = cntp({ punctuation, onTrials: (report) => trials.push(report), ...options });
  const answer = await generate(model, { prompt: PROMPT, decoder, seed, maxTokens: 24, ...sampling });
  return { ...answer, trials, model };
}

const expected = (seed: number, sampling: SamplingOptions, maxTrials: number, mistake?: Mistake) =>
  cautiousText({
    model: scriptedModel(script),
    prompt: PROMPT,
    sampling,
    seed,
    maxTokens: 24,
    endTokens: [END],
    punctuation,
    maxTrials,
    mistake,
  });

test("writes what the algorithm says, worked out without sessions", async () => {
  for (const sampling of SAMPLINGS) {
    for (let seed = 0; seed < 12; seed++) {
      const maxTrials = 2 + (seed % 9);
      const { tokens } = await write({ maxTrials }, seed, sampling);
      expect(tokens, `seed ${seed} at ${JSON.stringify(sampling)}`).toEqual(
        expected(seed, sampling, maxTrials),
      );
    }
  }
});

test.each<Mistake>([
  "adds surprise up instead of taking the mean",
  "leaves the last token of a trial out of its score",
  "scores by the model's own law",
  "measures entropy of the model's own law",
  "gives all trials the same numbers",
  "keeps the unlikeliest trial",
  "keeps only the first token of a trial",
  "goes on behind punctuation",
  "tries one continuation less",
])("the comparison notices a decoder that %s", async (mistake) => {
  const sampling = SAMPLINGS[1]!;
  let noticed = 0;
  for (let seed = 0; seed < 12; seed++) {
    const { tokens } = await write({ maxTrials: 6 }, seed, sampling);
    if (String(tokens) !== String(expected(seed, sampling, 6, mistake))) noticed++;
  }
  expect(noticed).toBeGreaterThan(0);
});

test("together or in turn, plain or drafted, a seed gives one text and one account of its trials", async () => {
  const drafted = (): Decoder => speculative({ drafters: randomDrafter({ seed: 4, vocabularySize: V }) });
  for (const sampling of SAMPLINGS) {
    for (let seed = 0; seed < 3; seed++) {
      const first = await write({ execution: "forest" }, seed, sampling);
      for (const decoder of [plain(), drafted()]) {
        for (const execution of ["forest", "sequential"] as const) {
          const other = await write({ execution, decoder }, seed, sampling);
          expect([other.tokens, other.trials]).toEqual([first.tokens, first.trials]);
        }
      }
    }
  }
});

test("trials around drafts that are drawn have one text for both executions too", async () => {
  const decoder = () =>
    speculative({
      drafters: sampledDrafter({ law: randomLaw({ seed: 8, vocabularySize: V }), endTokens: [END] }),
      verifier: rejection(),
    });
  for (let seed = 0; seed < 10; seed++) {
    const [together, inTurn] = [
      await write({ decoder: decoder(), execution: "forest" }, seed),
      await write({ decoder: decoder(), execution: "sequential" }, seed),
    ];
    expect([together.tokens, together.trials]).toEqual([inTurn.tokens, inTurn.trials]);
  }
});

test("trials that run together share passes", async () => {
  const [together, inTurn] = [await write({}, 5), await write({ execution: "sequential" }, 5)];
  expect(together.model.inspection.rows).toBe(inTurn.model.inspection.rows);
  expect(together.model.inspection.passes).toBeLessThan(inTurn.model.inspection.passes / 2);
});

test("right drafts save passes between trials and in them", async () => {
  const model = scriptedModel(script);
  const answer = (decoder: Decoder) =>
    generate(model, {
      prompt: PROMPT,
      decoder: cntp({ punctuation, decoder, minEntropy: 1, maxEntropy: 2.5 }),
      seed: 3,
      temperature: 0.7,
      maxTokens: 24,
      ignoreEnd: true,
    });
  const drafter = oracleDrafter(model, { peeks: true });
  const [bare, drafted] = [await answer(plain()), await answer(speculative({ drafters: drafter }))];
  expect(drafted.tokens).toEqual(bare.tokens);
  expect(drafted.report.targetPasses).toBeLessThan(bare.report.targetPasses);
  expect(drafted.report.accepted).toBeGreaterThan(0);
});

test("the kept trial has the lowest mean surprise, the first one among equals, and becomes text whole", async () => {
  let events = 0;
  for (let seed = 0; seed < 20; seed++) {
    const { tokens, trials, model, report } = await write({}, seed);
    for (const { position, trials: tried, kept } of trials) {
      events++;
      const means = tried.map(({ meanSurprise }) => meanSurprise);
      expect(kept).toBe(means.indexOf(Math.min(...means)));
      const at = position - PROMPT.length;
      expect(tokens.slice(at, at + tried[kept]!.tokens.length)).toEqual(tried[kept]!.tokens);
    }
    // Every row that was run is told, and no other: those of the prompt, and those of the report.
    expect(report.rows).toBe(model.inspection.rows - PROMPT.length);
    expect(report.targetPasses).toBe(model.inspection.calls - 1);
    const drawn = trials
      .flatMap(({ trials: tried }) => tried)
      .reduce((sum, trial) => sum + trial.tokens.length, 0);
    const kept = trials.reduce((sum, { trials: tried, kept }) => sum + tried[kept]!.tokens.length, 0);
    const sure = tokens.length - 1 - kept;
    expect(report.choices).toContain(
      `${drawn + sure} tokens computed for ${kept + sure} kept: ${((drawn + sure) / (kept + sure)).toFixed(2)} for each.`,
    );
  }
  expect(events).toBeGreaterThan(50);
});

/** A text that starts with 0, then 1 or 3 as the law says, and then goes on by `next`; behind 2 and 4 it ends. */
function fork(one: number, other: number, next: (tokens: readonly number[]) => readonly number[]) {
  return scriptedModel({
    vocabularySize: 8,
    tokenizer: { endTokens: [7] },
    law: (tokens) => {
      const law = new Array<number>(8).fill(0);
      if (tokens.length === 1) law[0] = 1;
      else if (tokens.length === 2) [law[1], law[3]] = [one, other];
      else if ([2, 4].includes(tokens.at(-1)!)) law[7] = 1;
      else return next(tokens);
      return law;
    },
  });
}

/** The first tokens of trials and of the kept one, over seeds in which both were tried. */
async function choices(model: ReturnType<typeof fork>) {
  const kept: number[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const reports: TrialsReport[] = [];
    const decoder = cntp({
      punctuation: [2, 4],
      minEntropy: 0,
      maxEntropy: 0.3,
      maxTrials: 4,
      onTrials: (report) => reports.push(report),
    });
    await generate(model, { prompt: [6], decoder, seed, temperature: 1, maxTokens: 12 });
    const firsts = reports[0]!.trials.map(({ tokens }) => tokens[0]!);
    expect(reports[0]!.position).toBe(2);
    if (new Set(firsts).size === 2) kept.push(firsts[reports[0]!.kept]!);
    else expect(reports[0]!.kept, "equal trials").toBe(0);
  }
  expect(kept.length).toBeGreaterThan(5);
  return new Set(kept);
}

const certain = (token: number) => Array.from({ length: 8 }, (_, id) => (id === token ? 1 : 0));

test("a long likely trial beats a short unlikely one, although its sum is higher", async () => {
  // 1 . has -ln 0.7 over two tokens, 0.18; 3 5 5 5 5 5 5 5 . has -ln 0.3 over nine, 0.13.
  const model = fork(0.7, 0.3, (tokens) => {
    if (tokens.at(-1) === 1) return certain(2);
    return certain(tokens.filter((token) => token === 5).length < 7 ? 5 : 4);
  });
  expect(await choices(model)).toEqual(new Set([3]));
});

test("the punctuation that ends a trial counts", async () => {
  // Without it 1 would win by 0.6 to 0.4; but its mark has 0.5, that of 3 has all.
  const model = fork(0.6, 0.4, (tokens) =>
    tokens.at(-1) === 1 ? certain(2).map((share, id) => (share === 1 || id === 4 ? 0.5 : 0)) : certain(4),
  );
  expect(await choices(model)).toEqual(new Set([3]));
});

test("among trials that are as likely the first one is kept", async () => {
  const model = fork(0.5, 0.5, (tokens) => certain(tokens.at(-1) === 1 ? 2 : 4));
  const reports: TrialsReport[] = [];
  const decoder = cntp({ punctuation: [2, 4], onTrials: (report) => reports.push(report) });
  for (let seed = 0; seed < 10; seed++) {
    await generate(model, { prompt: [6], decoder, seed, temperature: 1, maxTokens: 12 });
  }
  expect(reports.map(({ kept }) => kept)).toEqual(new Array(10).fill(0));
  expect(new Set(reports.map(({ trials }) => trials[0]!.tokens[0])).size).toBe(2);
});

test("a law of one token is never in doubt", async () => {
  const model = scriptedModel({ vocabularySize: V, law: (tokens) => certain((tokens.at(-1)! + 1) % V) });
  const decoder = cntp({ punctuation, minEntropy: 0, onTrials: () => expect.fail("a trial") });
  const { report } = await generate(model, { prompt: [0], decoder, temperature: 1.5, maxTokens: 30 });
  expect(report.choices[0]).toBe("Trials at a place: 1 at 29.");
  expect(report.rows).toBe(29);
});

test("a limit cuts trials, and a trial that the budget cuts stays eligible", async () => {
  const reports = (await write({ punctuation: [], maxTrialTokens: 3 }, 1, { temperature: 1 })).trials;
  const lengths = reports.flatMap(({ trials }) => trials.map(({ tokens }) => tokens.length));
  expect(Math.max(...lengths)).toBe(3);
  const unlimited = (await write({ punctuation: [], maxTrialTokens: 0 }, 1, { temperature: 1 })).trials;
  expect(unlimited[0]!.trials.every(({ tokens }) => tokens.at(-1) === END || tokens.length === 23)).toBe(
    true,
  );
});

test("a temperature to explore with tries continuations of a greedy text", async () => {
  const greedy = await write({ decoder: plain() }, 1, { temperature: 0 });
  expect(greedy.trials).toEqual([]);
  const explored = await write({ exploreTemperature: 0.8 }, 1, { temperature: 0 });
  expect(explored.trials.length).toBeGreaterThan(0);
  const [{ position, entropy, trials }] = explored.trials as [TrialsReport];
  const logits = Array.from(explored.model.logitsOf([...PROMPT, ...explored.tokens].slice(0, position)));
  const weights = logits.map((logit) => Math.exp(logit / 0.8));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const law = weights.map((weight) => weight / total);
  expect(entropy).toBeCloseTo(
    -law.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0),
    5,
  );
  const short = trials.find(({ tokens }) => tokens.length === 1);
  if (short !== undefined) expect(short.meanSurprise).toBeCloseTo(-Math.log(law[short.tokens[0]!]!), 5);
});

test("nothing of a trial is seen before it is kept", async () => {
  const seen: (string | number)[] = [];
  const model = scriptedModel(script);
  const events = new DecodeEmitter();
  events.on("step", ({ tokens }: StepEvent) => seen.push(...tokens.map((token) => `event ${token}`)));
  const kept: TrialsReport[] = [];
  const decoder = cntp({
    punctuation,
    onTrials: (report) => {
      kept.push(report);
      seen.push("kept");
    },
  });
  const answer = stream(model, { prompt: PROMPT, decoder, seed: 2, temperature: 1, maxTokens: 24, events });
  const chunks: (readonly number[])[] = [];
  for await (const { tokens } of answer) {
    chunks.push(tokens);
    seen.push(...tokens);
  }
  expect(kept.length).toBeGreaterThan(2);
  for (const [index, at] of seen.entries()) {
    if (at !== "kept") continue;
    const { trials, kept: winner } = kept.shift()!;
    const { tokens } = trials[winner]!;
    expect(seen.slice(index + 1, index + 1 + 2 * tokens.length)).toEqual([
      ...tokens.map((token) => `event ${token}`),
      ...tokens,
    ]);
  }
  expect((await answer.result).tokens).toEqual(chunks.flat());
});

test("behind every commit the cache holds the text and nothing else", async () => {
  const model = scriptedModel(script);
  const session = model.createSession();
  const decoder = cntp({
    punctuation,
    decoder: speculative({ drafters: randomDrafter({ seed: 4, vocabularySize: V }) }),
  });
  const answer = stream(model, { prompt: PROMPT, decoder, session, seed: 2, temperature: 1, maxTokens: 24 });
  const text = [...PROMPT];
  for await (const { tokens } of answer) {
    text.push(...tokens);
    if (tokens.length === 0) continue;
    expect(session.tokens).toEqual(text.slice(0, -1));
    expect(model.inspection).toMatchObject({ liveSessions: 1, liveSlots: text.length - 1, pendingRows: 0 });
  }
});

test.each(["forest", "sequential"] as const)(
  "with %s trials, states of drafters are all disposed, and in step",
  async (execution) => {
    const audit = newAudit();
    const model = scriptedModel(script);
    const session = model.createSession();
    const drafters = auditedDrafter(randomDrafter({ seed: 4, vocabularySize: V }), audit);
    const decoder = cntp({ punctuation, execution, decoder: speculative({ drafters }) });
    for (let seed = 0; seed < 6; seed++) {
      await generate(model, { prompt: PROMPT, decoder, session, seed, temperature: 1, maxTokens: 24 });
      expect(audit.live).toBe(1);
    }
    session.dispose();
    expect(audit.live).toBe(0);
    expect(audit.proposals).toBeGreaterThan(100);
  },
);

test.each(["forest", "sequential"] as const)(
  "with %s trials, a failure in any of them leaves nothing behind",
  async (execution) => {
    let failures = 0;
    for (let at = 1; at < 60; at += 2) {
      const audit = newAudit();
      const model = scriptedModel(script);
      const session = model.createSession();
      const faulty = { ...faultyDrafter({ fault: "throws", at }), name: "faulty" };
      const decoder = cntp({
        punctuation,
        execution,
        decoder: speculative({ drafters: auditedDrafter(faulty, audit) }),
      });
      const chunks: number[] = [];
      const answer = stream(model, {
        prompt: PROMPT,
        decoder,
        session,
        seed: 1,
        temperature: 1,
        maxTokens: 24,
      });
      try {
        for await (const { tokens } of answer) chunks.push(...tokens);
      } catch (error) {
        failures++;
        expect(error).toMatchObject({
          code: "PART_FAILED",
          message: expect.stringContaining("Drafter faulty"),
        });
        expect(session.tokens).toEqual([...PROMPT, ...chunks].slice(0, -1));
        expect(audit.live).toBe(0);
      }
      expect(model.inspection).toMatchObject({
        liveSessions: 1,
        liveSlots: session.tokens.length,
        pendingRows: 0,
      });
      session.dispose();
    }
    expect(failures).toBeGreaterThan(10);
  },
);

test("an inner decoder that keeps its log-probabilities to itself is refused", async () => {
  const inner = plain();
  const secretive: Decoder = {
    ...inner,
    start: (context) => {
      const decoding = inner.start(context);
      return {
        ...decoding,
        steps: async function* (given) {
          for await (const step of decoding.steps(given)) yield { ...step, logProbabilities: undefined };
        },
      };
    },
  };
  await expect(write({ decoder: secretive }, 1)).rejects.toMatchObject({
    code: "PART_FAILED",
    message: expect.stringContaining("without the log-probability"),
  });
});
