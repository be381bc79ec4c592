import { type GenerationChunk, generate, stream } from "@foretoken/core";
import { expect } from "vitest";
import type { Check } from "./check.ts";
import { type DecoderBench, outcome, type SuiteScript } from "./decoder-bench.ts";
import { forced, forcedPrompt, looping } from "./suite-scripts.ts";

/** Stop lists over the text of {@link counting}, and the text they leave. */
const STOPS: readonly { readonly stop: readonly string[]; readonly left: string }[] = [
  { stop: ["four", "two"], left: "one " },
  { stop: ["e t", "two"], left: "on" },
  { stop: ["five five", "e f"], left: "one two thre" },
  { stop: ["ou", "four"], left: "one two three f" },
  { stop: ["four", "e four"], left: "one two thre" },
  { stop: ["nothing of it"], left: "one two three four five" },
];

const WORDS = ["one", " two", " three", " four", " five", ""];
const END = 5;

/** Where an answer ends: end tokens, stop strings, budgets, the context. */
export function endingChecks(bench: DecoderBench): Check[] {
  const checks: Check[] = [
    {
      name: "budgets of 0 and 1 tokens are kept",
      run: async () => {
        for (const maxTokens of [0, 1, 2]) {
          const { tokens, finish } = await bench.once(looping, {
            prompt: [0, 1, 2, 3, 4, 5, 0, 1],
            maxTokens,
          });
          expect([tokens.length, finish]).toEqual([maxTokens, "length"]);
        }
      },
    },
    {
      name: "a prompt that leaves no room is refused before any pass",
      run: async () => {
        for (const length of [16, 17, 40]) {
          const model = bench.model({ ...looping, contextLength: 16 });
          const prompt = new Array<number>(length).fill(1);
          await expect(generate(model, { prompt, decoder: bench.decoder(model) })).rejects.toMatchObject({
            code: "PROMPT_TOO_LONG",
          });
          expect(model.inspection).toMatchObject({ passes: 0, liveSessions: 0 });
        }
      },
    },
    {
      name: "B3: the last token lands on the context's end",
      run: async () => {
        for (let length = 1; length < 16; length++) {
          const script = { ...looping, contextLength: 16, tokenizer: false } as const;
          const prompt = Array.from({ length }, (_, at) => at % 6);
          for (const maxTokens of [undefined, 100]) {
            const { tokens, finish } = await bench.once(script, { prompt, maxTokens });
            expect([length + tokens.length, finish]).toEqual([16, "context"]);
          }
        }
      },
    },
    {
      name: "streamed text is the whole text in pieces",
      run: async () => {
        for (const { stop } of STOPS) {
          const model = bench.model(counting());
          const answer = stream(model, { prompt: [0], decoder: bench.decoder(model), stop, maxTokens: 8 });
          const chunks: GenerationChunk[] = [];
          for await (const chunk of answer) chunks.push(chunk);
          const whole = await answer.result;
          expect(chunks.map(({ text }) => text).join("")).toBe(whole.text);
          expect(chunks.flatMap(({ tokens }) => tokens)).toEqual(whole.tokens);
        }
      },
    },
  ];
  if (bench.level !== "altered") checks.push(...comparedEndings(bench));
  return checks;
}

function comparedEndings(bench: DecoderBench): Check[] {
  return [
    {
      name: "A1: an end token or budget inside a run ends the answer there",
      run: async () => {
        for (let end = 0; end <= 8; end++) {
          for (let maxTokens = 1; maxTokens <= 9; maxTokens++) {
            const script: SuiteScript = { ...forced, tokenizer: { endTokens: end === 8 ? [] : [end] } };
            await expectSameTurns(bench, script, maxTokens);
          }
        }
      },
    },
    {
      name: "A1: end tokens can be ignored or replaced",
      run: async () => {
        const script: SuiteScript = { ...forced, tokenizer: { endTokens: [2] } };
        await bench.expectEqual(script, { prompt: forcedPrompt, maxTokens: 7, ignoreEnd: true });
        await bench.expectEqual(script, { prompt: forcedPrompt, maxTokens: 7, endTokens: [5] });
      },
    },
    {
      name: "A2: of several stop strings the one that ends first in the text wins",
      run: async () => {
        for (const { stop, left } of STOPS) {
          const { text } = await bench.expectEqual(counting(), { prompt: [0], stop, maxTokens: 8 });
          expect(text, JSON.stringify(stop)).toBe(left);
        }
      },
    },
    {
      name: "B3: texts that run into the context's end are plain decoding's",
      run: async () => {
        for (const length of [1, 8, 13, 14, 15]) {
          const prompt = Array.from({ length }, (_, at) => at % 6);
          await bench.expectEqual({ ...looping, contextLength: 16 }, { prompt });
        }
      },
    },
  ];
}

/** Writes `one two three four five`, then the end token. */
function counting(): SuiteScript {
  return {
    vocabularySize: WORDS.length,
    next: (tokens) => Math.min(tokens.length - 1, END),
    tokenizer: { texts: WORDS, endTokens: [END] },
  };
}

/** Two turns on one session: the second goes on behind what the first left in the cache. */
async function expectSameTurns(bench: DecoderBench, script: SuiteScript, maxTokens: number): Promise<void> {
  const turns = async (which: "decoder" | "reference") => {
    const model = bench.model(script);
    const session = model.createSession();
    const decoder = bench[which](model);
    const first = await generate(model, { prompt: forcedPrompt, maxTokens, session, decoder });
    const cached = [...session.tokens];
    const prompt = [...forcedPrompt, ...first.tokens, 9, 0];
    const second = await generate(model, { prompt, maxTokens: 3, session, decoder });
    const isCounted = first.report.accepted <= Math.max(0, first.tokens.length - 1);
    session.dispose();
    return {
      first: outcome(first),
      second: outcome(second),
      cached,
      isCounted,
      slots: model.inspection.liveSlots,
    };
  };
  expect(await turns("decoder"), `with ${maxTokens} tokens`).toEqual(await turns("reference"));
}
