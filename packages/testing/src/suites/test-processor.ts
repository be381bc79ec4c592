import { type Decoder, type LogitsProcessor, speculative, type TokenId } from "@foretoken/core";
import { expect } from "vitest";
import { oracleDrafter, randomDrafter, wrongDrafter } from "../drafters/known-drafters.ts";
import { mix } from "../scripted/context-node.ts";
import { randomLaw } from "../scripted/scripted-laws.ts";
import type { ScriptedModel } from "../scripted/scripted-model.ts";
import { type Check, registerChecks, type Skips } from "./check.ts";
import { DecoderBench, type SuiteScript } from "./decoder-bench.ts";

/** Options of {@link testProcessor}. */
export interface ProcessorTestOptions {
  /** Tokens of the rows it is tried on; default 6. */
  readonly vocabularySize?: number;
  /** Tokens that end an answer; the processor is never asked behind them. Default none. */
  readonly endTokens?: readonly TokenId[];
  /** Prompts to start from; default three short ones. */
  readonly prompts?: readonly (readonly TokenId[])[];
  readonly skip?: Skips;
}

const STEPS = 6;
const SEEDS = 12;

/** The checks that {@link testProcessor} registers, for tests of tests. */
export function processorChecks(
  makeProcessor: () => LogitsProcessor,
  { vocabularySize = 6, endTokens = [], prompts = [[0], [1, 2], [3, 1, 1, 4, 0]] }: ProcessorTestOptions = {},
): readonly Check[] {
  const starts = prompts.map((prompt) => prompt.map((token) => token % vocabularySize));
  /** Walks along tokens the processor allows, chosen by seed. */
  const eachPath = (visit: (walk: Walk, seed: number) => void) => {
    for (const prompt of starts) {
      for (let seed = 0; seed < SEEDS; seed++)
        visit(new Walk(makeProcessor(), prompt, vocabularySize, endTokens), seed);
    }
  };
  return [
    {
      name: "init leaves the prompt as it is",
      run: () => {
        for (const prompt of starts)
          expect(() => makeProcessor().init(Object.freeze([...prompt]))).not.toThrow();
      },
    },
    {
      name: "advance leaves the state before as it was",
      run: () =>
        eachPath((walk, seed) => {
          for (let step = 0; step < STEPS && !walk.hasEnded; step++) {
            const before = walk.row();
            for (const token of walk.allowed()) if (!endTokens.includes(token)) walk.peek(token);
            expect(walk.row(), "the row of the same state again").toEqual(before);
            walk.step(mix(seed, step));
          }
        }),
    },
    {
      name: "the state depends on the path alone, not on the order of calls",
      run: () =>
        eachPath((walk, seed) => {
          const twin = new Walk(makeProcessor(), walk.prompt, vocabularySize, endTokens);
          const rows: Float32Array[] = [];
          for (let step = 0; step < STEPS && !walk.hasEnded; step++) {
            rows.push(walk.row());
            walk.step(mix(seed, step));
          }
          // Apply runs only behind the whole path here, and once for each state there.
          const states = twin.follow(walk.output);
          expect(states.map((state) => twin.row(state)).reverse()).toEqual([...rows].reverse());
        }),
    },
    {
      name: "apply gives numbers or -Infinity, and leaves a token",
      run: () =>
        eachPath((walk, seed) => {
          for (let step = 0; step < STEPS && !walk.hasEnded; step++) {
            const row = [...walk.row()];
            expect(
              row.every((logit) => logit < Number.POSITIVE_INFINITY),
              `the row ${row}`,
            ).toBe(true);
            expect(
              row.some((logit) => logit > Number.NEGATIVE_INFINITY),
              `the row ${row}`,
            ).toBe(true);
            walk.step(mix(seed, step));
          }
        }),
    },
    {
      name: "apply leaves other rows alone",
      run: () =>
        eachPath((walk) => {
          const buffer = new Float32Array(3 * vocabularySize).fill(1);
          walk.processor.apply(walk.state, buffer.subarray(vocabularySize, 2 * vocabularySize));
          const outside = [...buffer.subarray(0, vocabularySize), ...buffer.subarray(2 * vocabularySize)];
          expect(outside.every((value) => value === 1)).toBe(true);
        }),
    },
    ...decodingChecks(makeProcessor, starts, vocabularySize, endTokens),
  ];
}

/**
 * Registers the conformance suite of logits processors with vitest: immutable states, rows that depend on the path alone,
 * and the same text from plain decoding and from token trees.
 *
 * @param makeProcessor - Makes the processor; called anew wherever nothing may be shared.
 */
export function testProcessor(
  name: string,
  makeProcessor: () => LogitsProcessor,
  options: ProcessorTestOptions = {},
): void {
  registerChecks(`processor ${name}`, processorChecks(makeProcessor, options), options.skip);
}

/** One path through a processor's states. */
class Walk {
  readonly processor: LogitsProcessor;
  readonly prompt: readonly TokenId[];
  readonly output: TokenId[] = [];
  state: unknown;
  readonly #vocabularySize: number;
  readonly #endTokens: readonly TokenId[];

  constructor(
    processor: LogitsProcessor,
    prompt: readonly TokenId[],
    vocabularySize: number,
    endTokens: readonly TokenId[],
  ) {
    this.processor = processor;
    this.prompt = prompt;
    this.#vocabularySize = vocabularySize;
    this.#endTokens = endTokens;
    this.state = processor.init(prompt);
  }

  get hasEnded(): boolean {
    return this.#endTokens.includes(this.output.at(-1)!);
  }

  /** What it makes of one fixed row. */
  row(state = this.state): Float32Array {
    const row = Float32Array.from(
      { length: this.#vocabularySize },
      (_, token) => (mix(3, token) % 100) / 25 - 2,
    );
    this.processor.apply(state, row);
    return row;
  }

  /** Tokens it allows. */
  allowed(): TokenId[] {
    return [...this.row()].flatMap((logit, token) => (logit > Number.NEGATIVE_INFINITY ? [token] : []));
  }

  /** Looks at a child state without going there. */
  peek(token: TokenId): void {
    this.row(this.processor.advance(this.state, token));
  }

  /** Goes on with one of the allowed tokens. */
  step(hash: number): void {
    const allowed = this.allowed();
    const token = allowed[hash % allowed.length]!;
    this.output.push(token);
    if (!this.hasEnded) this.state = this.processor.advance(this.state, token);
  }

  /** The states along a path, the end's own left out. */
  follow(path: readonly TokenId[]): unknown[] {
    const states = [this.state];
    for (const token of path.slice(0, -1)) states.push(this.processor.advance(states.at(-1), token));
    return states;
  }
}

function decodingChecks(
  makeProcessor: () => LogitsProcessor,
  starts: readonly (readonly TokenId[])[],
  vocabularySize: number,
  endTokens: readonly TokenId[],
): Check[] {
  const script: SuiteScript = {
    vocabularySize,
    law: randomLaw({ seed: 13, vocabularySize, order: 2 }),
    tokenizer: { endTokens },
  };
  const decoders: Readonly<Record<string, (model: ScriptedModel) => Decoder>> = {
    "drafts that are always right": (model) =>
      speculative({ drafters: oracleDrafter(model, { peeks: true }) }),
    "drafts that are always wrong": (model) => speculative({ drafters: wrongDrafter(model) }),
    "random trees": () =>
      speculative({ drafters: randomDrafter({ seed: 2, vocabularySize, defaultLimit: 9 }) }),
  };
  return Object.entries(decoders).map(([kind, make]) => ({
    name: `A4, A10: ${kind} give plain decoding's text`,
    run: async () => {
      const bench = new DecoderBench(make, {});
      for (const prompt of starts) {
        for (let seed = 0; seed < 6; seed++) {
          const sampling = { temperature: seed % 2 === 0 ? 0 : 0.9, seed };
          await bench.expectEqual(script, {
            prompt,
            maxTokens: 12,
            processors: [makeProcessor()],
            ...sampling,
          });
        }
      }
    },
  }));
}
