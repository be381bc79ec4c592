import { type Decoder, plain, speculative, TokenTree, type Verifier } from "@foretoken/core";
import {
  oracleDrafter,
  type ScriptedModel,
  scriptedModel,
  textDrafter,
  wrongDrafter,
} from "@foretoken/testing";
import { expect, test } from "vitest";
import { checkExactness } from "./exactness.ts";
import { measureNoise } from "./noise.ts";
import { paddedPlain } from "./padded-plain.ts";
import type { BenchPrompt } from "./prompts.ts";

const prompts: BenchPrompt[] = ["ab", "ba", "cc"].map((text, index) => ({
  id: String(index),
  group: "chat",
  text,
}));
const chat = { chatTemplate: (messages: readonly { content: unknown }[]) => String(messages[0]!.content) };

/** Counts up, one letter after the other; the runner-up lies `gap` below. */
function counting(gap: number): ScriptedModel {
  return scriptedModel({
    vocabularySize: 8,
    tokenizer: chat,
    logits: (tokens) => {
      const next = (tokens.at(-1)! + 1) % 8;
      return Array.from({ length: 8 }, (_, token) =>
        token === next ? 5 : token === (next + 3) % 8 ? 5 - gap : 0,
      );
    },
  });
}

/** Takes what was drafted, whatever the target thinks. */
const gullible: Verifier = {
  name: "gullible",
  guarantee: () => ({ level: "altered", reasons: ["it believes drafts"] }),
  start: () => ({
    visit: async ({ trials, law }) =>
      trials[0] === undefined
        ? { kind: "emit", token: (await law()).mode() }
        : { kind: "descend", trial: trials[0] },
  }),
};

/** Decodes the runner-up of {@link counting} in place of the best token. */
function runnerUp(): Decoder {
  const drafter = textDrafter({
    name: "runner-up",
    defaultLimit: 1,
    propose: (text) => TokenTree.chain(text.at(-1)!, [(text.at(-1)! + 4) % 8], "runner-up"),
  });
  return speculative({ drafters: drafter, verifier: gullible });
}

test("a decoder that is right is identical, and no parting is told", async () => {
  const model = counting(1);
  const decoders = [
    { name: "oracle", decoder: speculative({ drafters: oracleDrafter(model) }) },
    { name: "wrong", decoder: speculative({ drafters: wrongDrafter(model) }) },
  ];
  const results = await checkExactness({ model, decoders, prompts, maxTokens: 10, padded: true });
  for (const result of results) {
    expect(result).toMatchObject({ prompts: 3, identical: 1, partings: [], errors: 0, paddedIdentical: 1 });
  }
});

test("a decoder that takes another token than plain is an error with its place and its gap", async () => {
  const model = counting(1);
  const [result] = await checkExactness({
    model,
    decoders: [{ name: "runner-up", decoder: runnerUp() }],
    prompts,
    maxTokens: 10,
  });
  expect(result).toMatchObject({ identical: 0, errors: 3 });
  expect(result!.partings[0]).toMatchObject({
    prompt: "0",
    group: "chat",
    index: 1,
    plain: 3,
    other: 6,
    counts: true,
  });
  expect(result!.partings[0]!.gap).toBeCloseTo(1, 5);
});

test("where plain's two best lie within the tolerance, parting is told but no error", async () => {
  const model = counting(0.0005);
  const decoders = [{ name: "runner-up", decoder: runnerUp() }];
  const [result] = await checkExactness({ model, decoders, prompts, maxTokens: 10 });
  expect(result).toMatchObject({ identical: 0, errors: 0 });
  expect(result!.partings).toHaveLength(3);
  const [strict] = await checkExactness({ model, decoders, prompts, maxTokens: 10, tolerance: 1e-5 });
  expect(strict!.errors).toBe(3);
});

test("an answer that ends early is an error however near a tie is", async () => {
  const model = counting(0.0005);
  const stopping: Decoder = {
    ...plain(),
    name: "stopping",
    start: (context) => {
      const decoding = plain().start(context);
      return {
        ...decoding,
        steps: async function* (where) {
          for await (const step of decoding.steps(where)) {
            yield { ...step, finish: "length" };
            return;
          }
        },
      };
    },
  };
  const [result] = await checkExactness({
    model,
    decoders: [{ name: "stopping", decoder: stopping }],
    prompts,
    maxTokens: 10,
  });
  expect(result!.errors).toBe(3);
  expect(result!.partings[0]).toMatchObject({ index: 2, other: undefined, counts: true });
});

test("padded plain gives plain's text in passes of the size asked for", async () => {
  const model = scriptedModel({
    vocabularySize: 8,
    tokenizer: chat,
    next: (tokens) => (tokens.at(-1)! + 1) % 8,
    record: true,
  });
  const [result] = await checkExactness({
    model,
    decoders: [{ name: "padded", decoder: paddedPlain(5) }],
    prompts,
    maxTokens: 20,
  });
  expect(result).toMatchObject({ identical: 1, rowsPerPass: 5 });
});

test("a model that computes exactly has no noise", async () => {
  const noise = await measureNoise({ model: counting(1), prompts, rows: 4, samples: 25, maxTokens: 12 });
  expect(noise).toMatchObject({ rows: 4, noise: 0, largest: 0, argmaxChanges: 0 });
  expect(noise.samples).toBe(36);
});

test("noise is what passes of several rows change", async () => {
  const model = counting(1);
  const createSession = model.createSession.bind(model);
  // Rows of larger passes get 0.25 more on their best token, as a kernel that rounds otherwise would do.
  model.createSession = (options) => {
    const session = createSession(options);
    const forward = session.forward.bind(session);
    session.forward = async (rows, wants) => {
      const pass = await forward(rows, wants);
      const { logits } = pass;
      if (rows.length > 1) {
        pass.logits = async (row) => {
          const values = Float32Array.from(await logits.call(pass, row));
          values[await pass.argmax(row)]! += 0.25;
          return values;
        };
      }
      return pass;
    };
    return session;
  };
  const noise = await measureNoise({ model, prompts, rows: 4, maxTokens: 12 });
  expect(noise.noise).toBeCloseTo(0.25, 5);
});
