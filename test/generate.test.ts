import {
  DecodeEmitter,
  type Decoder,
  type DecodeStep,
  type Drafter,
  drawAndMatch,
  fixedBudget,
  generate,
  plain,
  speculative,
  stream,
  TokenTree,
} from "@foretoken/core";
import { oracleDrafter, scriptedModel, textDrafter } from "@foretoken/testing";
import { describe, expect, test } from "vitest";

const code = (expected: string, message?: RegExp) =>
  expect.objectContaining({ code: expected, ...(message && { message: expect.stringMatching(message) }) });

/** Says 1 2 3 4 5 6 7 over and over. */
const counting = () => scriptedModel({ next: (tokens) => (tokens.at(-1)! % 7) + 1 });

/** Drafts `tokens` behind the root, as many as it may. */
const fixedDrafter = (tokens: readonly number[]) =>
  textDrafter({
    name: "fixed",
    propose: (text, limit) => TokenTree.chain(text.at(-1)!, tokens.slice(0, limit), "fixed"),
  });

describe("budgets 0 and 1", () => {
  test("no token, no pass", async () => {
    const model = counting();
    const { tokens, finish, report } = await generate(model, { prompt: [1], maxTokens: 0 });
    expect([tokens, finish, report.targetPasses, model.inspection.passes]).toEqual([[], "length", 0, 0]);
  });

  test("one token, from the prompt's own pass", async () => {
    const model = counting();
    const { tokens, finish } = await generate(model, { prompt: [1], maxTokens: 1 });
    expect([tokens, finish, model.inspection.passes]).toEqual([[2], "length", 1]);
  });
});

test("an end token of the caller's own is no part of the text", async () => {
  const { text, tokens, finish } = await generate(counting(), { prompt: [1], endTokens: [4] });
  expect([text, tokens, finish]).toEqual(["cd", [2, 3, 4], "end"]);
  expect((await generate(counting(), { prompt: [1], endTokens: [2] })).text).toBe("");
});

describe("what a caller may get wrong", () => {
  const model = counting();
  test.each([
    ["an unknown option", { prompt: [1], temprature: 1 }, "INVALID_OPTION", /temprature/],
    ["a negative budget", { prompt: [1], maxTokens: -1 }, "INVALID_OPTION", /maxTokens is -1/],
    [
      "a budget that is no number",
      { prompt: [1], maxTokens: Number.NaN },
      "INVALID_OPTION",
      /maxTokens is NaN/,
    ],
    ["a seed with a fraction", { prompt: [1], seed: 0.5 }, "INVALID_OPTION", /seed is 0.5/],
    ["an empty stop string", { prompt: [1], stop: [""] }, "INVALID_OPTION", /stop is/],
    ["a temperature below 0", { prompt: [1], temperature: -1 }, "INVALID_OPTION", /temperature is -1/],
    ["neither prompt nor messages", {}, "INVALID_OPTION", /neither/],
    ["both of them", { prompt: [1], messages: [] }, "INVALID_OPTION", /both/],
    ["an empty prompt", { prompt: [] }, "EMPTY_PROMPT", /no tokens/],
    ["an empty text", { prompt: "" }, "EMPTY_PROMPT", /no tokens/],
    ["a foreign token", { prompt: [1, 8] }, "UNKNOWN_TOKEN", /token 8.*0 to 7/],
    ["a prompt as long as the context", { prompt: Array(256).fill(1) }, "PROMPT_TOO_LONG", /256 tokens.*256/],
  ] as const)("%s", async (_, options, expected, message) => {
    await expect(generate(model, options as never)).rejects.toThrow(code(expected, message));
    expect(model.inspection.passes).toBe(0);
  });

  test("text for a model that only takes ids", async () => {
    const model = scriptedModel({ next: () => 1, tokenizer: false });
    await expect(generate(model, { prompt: "a" })).rejects.toThrow(code("UNSUPPORTED", /no tokenizer/));
    expect((await generate(model, { prompt: [1], maxTokens: 2 })).text).toBe("");
  });

  test("a decoder the model cannot carry", async () => {
    const model = scriptedModel({ next: () => 1, abilities: { tree: false } });
    const decoder = speculative({ drafters: fixedDrafter([1, 1, 1]) });
    await expect(generate(model, { prompt: [1], decoder })).rejects.toThrow(
      code("UNSUPPORTED", /chains only/),
    );
  });

  test("speculation without a drafter, or with one twice", () => {
    expect(() => speculative({ drafters: [] })).toThrow(code("INVALID_OPTION", /no drafter/));
    const drafter = fixedDrafter([1]);
    expect(() => speculative({ drafters: [drafter, drafter] })).toThrow(
      code("INVALID_OPTION", /two drafters/),
    );
    expect(() => fixedBudget({ nodes: -1 })).toThrow(code("INVALID_OPTION", /nodes is -1/));
  });
});

describe("E1: abort and leaving early", () => {
  test("before anything ran it rejects", async () => {
    const model = counting();
    await expect(generate(model, { prompt: [1], signal: AbortSignal.abort() })).rejects.toThrow(
      code("ABORTED"),
    );
    expect(model.inspection.passes).toBe(0);
  });

  test("afterwards it keeps what was made, and the session goes on", async () => {
    const model = counting();
    const session = model.createSession();
    const controller = new AbortController();
    const answer = stream(model, { prompt: [1], session, signal: controller.signal });
    const read: number[] = [];
    for await (const { tokens } of answer) {
      read.push(...tokens);
      if (read.length === 5) controller.abort();
    }
    const { tokens, finish } = await answer.result;
    expect([tokens, finish, session.pendingCount]).toEqual([[2, 3, 4, 5, 6], "aborted", 0]);
    const next = await generate(model, { prompt: [1, ...tokens], session, maxTokens: 2 });
    expect([next.tokens, next.usage.cachedTokens]).toEqual([[7, 1], 5]);
  });

  test("leaving the loop ends the generation; the result has what was read", async () => {
    const model = counting();
    const session = model.createSession();
    const answer = stream(model, { prompt: [1], session });
    for await (const { tokens } of answer) if (tokens.includes(4)) break;
    expect(await answer.result).toMatchObject({ tokens: [2, 3, 4], finish: "aborted" });
    expect((await generate(model, { prompt: [1], session, maxTokens: 1 })).tokens).toEqual([2]);
  });

  test("a stream nobody reads runs nothing, and its result runs it", async () => {
    const model = counting();
    const answer = stream(model, { prompt: [1], maxTokens: 3 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(model.inspection.passes).toBe(0);
    expect((await answer.result).tokens).toEqual([2, 3, 4]);
  });

  test("a consumer that throws leaves nothing pending", async () => {
    const model = counting();
    const session = model.createSession();
    const read = async () => {
      for await (const chunk of stream(model, { prompt: [1], session }))
        throw new Error(`no ${chunk.tokens}`);
    };
    await expect(read()).rejects.toThrow("no 2");
    expect(session.pendingCount).toBe(0);
    expect((await generate(model, { prompt: [1], session, maxTokens: 1 })).tokens).toEqual([2]);
  });
});

describe("E2: two generations at once", () => {
  test("on one session the second is refused at once", async () => {
    const model = counting();
    const session = model.createSession();
    const first = generate(model, { prompt: [1], session, maxTokens: 3 });
    await expect(generate(model, { prompt: [1], session, maxTokens: 3 })).rejects.toThrow(
      code("SESSION_BUSY"),
    );
    expect((await first).tokens).toEqual([2, 3, 4]);
    expect((await generate(model, { prompt: [2], session, maxTokens: 1 })).tokens).toEqual([3]);
  });

  test("on sessions of their own every text is the one made alone, with one decoder object", async () => {
    const model = counting();
    const decoder = speculative({ drafters: oracleDrafter(model) });
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 1].map((token) => generate(model, { prompt: [token], decoder, maxTokens: 9 })),
    );
    for (const [index, { tokens }] of answers.entries()) {
      expect(tokens[0]).toBe(([1, 2, 3, 4, 5, 6, 7, 1][index]! % 7) + 1);
      expect(tokens).toHaveLength(9);
    }
  });
});

describe("sessions", () => {
  test("B1: the same prompt again recomputes exactly one row", async () => {
    const model = counting();
    const session = model.createSession();
    const prompt = [1, 2, 3, 4];
    const first = await generate(model, { prompt, session, maxTokens: 4 });
    const rows = model.inspection.rows;
    const again = await generate(model, { prompt, session, maxTokens: 1 });
    expect(again.tokens[0]).toBe(first.tokens[0]);
    expect([again.usage.cachedTokens, model.inspection.rows - rows]).toEqual([3, 1]);
  });

  test("disposed ones and those of another model are refused", async () => {
    const model = counting();
    const session = model.createSession();
    const foreign = counting().createSession();
    session.dispose();
    await expect(generate(model, { prompt: [1], session })).rejects.toThrow(code("DISPOSED"));
    await expect(generate(model, { prompt: [1], session: foreign })).rejects.toThrow(
      code("INVALID_OPTION", /belongs/),
    );
  });

  test("drafting lives as long as its session, and no longer", async () => {
    const model = counting();
    let disposed = 0;
    const drafter = fixedDrafter([3]);
    const watching: Drafter = {
      ...drafter,
      start: (context) => {
        const drafting = drafter.start(context);
        return {
          propose: (root, limit, at) => drafting.propose(root, limit, at),
          observe: (round) => drafting.observe(round),
          fork: (session) => drafting.fork(session),
          truncate: (length) => drafting.truncate(length),
          dispose: () => {
            disposed++;
          },
        };
      },
    };
    const decoder = speculative({ drafters: watching });
    const session = model.createSession();
    await generate(model, { prompt: [1], session, decoder, maxTokens: 3 });
    await generate(model, { prompt: [1, 2], session, decoder, maxTokens: 3 });
    expect(disposed).toBe(0);
    await generate(model, { prompt: [1, 2], session, maxTokens: 3 });
    expect(disposed).toBe(1);
    await generate(model, { prompt: [1, 2], session, decoder, maxTokens: 3 });
    session.dispose();
    expect(disposed).toBe(2);
    await generate(model, { prompt: [1], decoder, maxTokens: 3 });
    expect(disposed).toBe(3);
  });

  test("a drafter that throws loses nothing, and is named", async () => {
    const model = counting();
    const session = model.createSession();
    const throwing: Drafter = {
      name: "throwing",
      proposal: "deterministic",
      defaultLimit: 2,
      requirements: () => ({}),
      start: () => ({
        propose: (root) => {
          if (root === 4) throw new Error("out of ideas");
          return new TokenTree(root);
        },
        observe: () => {},
        fork: () => throwing.start({} as never),
        truncate: () => {},
        dispose: () => {},
      }),
    };
    const decoder = speculative({ drafters: throwing, verifier: drawAndMatch() });
    await expect(generate(model, { prompt: [1], session, decoder })).rejects.toThrow(
      code("PART_FAILED", /Drafter throwing failed: out of ideas/),
    );
    expect([[...session.tokens], session.pendingCount]).toEqual([[1, 2, 3], 0]);
    expect((await generate(model, { prompt: [1, 2, 3, 4], session, maxTokens: 1 })).tokens).toEqual([5]);
  });
});

test("A7: one entry of log-probabilities for each token, the model's own at temperature 0", async () => {
  const model = scriptedModel({ law: () => [0.5, 0.25, 0.25, 0], vocabularySize: 4 });
  const options = { prompt: [1], maxTokens: 6, logProbabilities: 2 };
  const expected = Array(6).fill(Math.log(0.5));
  for (const decoder of [plain(), speculative({ drafters: fixedDrafter([0, 0, 0]) })]) {
    const { logProbabilities } = await generate(model, { ...options, decoder });
    expect(logProbabilities!.map(({ raw }) => raw)).toEqual(
      expected.map((value) => expect.closeTo(value, 6)),
    );
    expect(logProbabilities!.map(({ processed }) => processed)).toEqual(
      expected.map((value) => expect.closeTo(value, 6)),
    );
    expect(logProbabilities![0]!.top.map(({ token }) => token)).toEqual([0, 1]);
  }
});

test("the report adds up", async () => {
  const decoder = speculative({ drafters: fixedDrafter([3, 4, 0]), budget: fixedBudget({ nodes: 3 }) });
  const { tokens, report } = await generate(counting(), { prompt: [1], decoder, maxTokens: 9 });
  expect(tokens).toEqual([2, 3, 4, 5, 6, 7, 1, 2, 3]);
  expect(report.accepted).toBeGreaterThan(0);
  expect(report.bySource).toEqual({ fixed: { drafted: report.drafted, accepted: report.accepted } });
  expect(report.tokens - 1).toBe(report.accepted + report.targetPasses);
  expect(report.blockEfficiency).toBeCloseTo((report.tokens - 1) / report.targetPasses, 12);
  expect(report.acceptanceByDepth.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(report.accepted);
});

test("a step of several passes is told pass by pass, and read as one", async () => {
  const inner = plain();
  /** Takes two of plain's steps together, with a pass between them whose token was dropped. */
  const pairs: Decoder = {
    ...inner,
    name: "pairs",
    start: (context) => ({
      ...inner.start(context),
      steps: async function* (given) {
        let first: DecodeStep | undefined;
        for await (const step of inner.start(context).steps(given)) {
          if (first === undefined) {
            first = step;
            continue;
          }
          const passes = [first, { ...step, tokens: [], sources: [] }, step];
          yield { ...step, tokens: [...first.tokens, ...step.tokens], sources: [[], []], passes };
          first = undefined;
        }
      },
    }),
  };
  const events = new DecodeEmitter();
  const told: (readonly [number, readonly number[]])[] = [];
  events.on("step", ({ position, tokens }) => told.push([position, tokens]));
  const answer = stream(counting(), { prompt: [1], decoder: pairs, maxTokens: 5, events });
  const chunks: (readonly number[])[] = [];
  for await (const { tokens } of answer) chunks.push(tokens);
  expect(chunks).toEqual([[2], [3, 4], [5, 6]]);
  expect(told).toEqual([
    [2, [3]],
    [3, []],
    [3, [4]],
    [4, [5]],
    [5, []],
    [5, [6]],
  ]);
  const { report } = await answer.result;
  expect(report).toMatchObject({ tokens: 5, targetPasses: 6, rows: 6, blockEfficiency: 4 / 6 });
});
