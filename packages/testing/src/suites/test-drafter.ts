import { type Drafter, fixedBudget, generate, rejection, speculative } from "@foretoken/core";
import { expect } from "vitest";
import { auditedDrafter, newAudit } from "../drafters/audited-drafter.ts";
import { oracleDrafter, randomDrafter } from "../drafters/known-drafters.ts";
import type { ScriptedModel } from "../scripted/scripted-model.ts";
import { type Check, registerChecks } from "./check.ts";
import { DecoderBench, type DecoderTestOptions, outcome, prompts } from "./decoder-bench.ts";
import { DraftDriver, type DraftShape } from "./draft-driver.ts";
import { looping, wandering } from "./suite-scripts.ts";
import { decoderChecks } from "./test-decoder.ts";

/** Options of {@link testDrafter}. */
export interface DrafterTestOptions extends Omit<DecoderTestOptions, "reference" | "level"> {
  /**
   * Whether `truncate` brings back the very state before; default `false`, which is right for drafters that keep what they
   * learnt.
   */
  readonly forgets?: boolean;
}

const SCRIPTS = { looping, wandering };

/** The checks that {@link testDrafter} registers, for tests of tests. */
export function drafterChecks(
  makeDrafter: (model: ScriptedModel) => Drafter,
  options: DrafterTestOptions = {},
): readonly Check[] {
  const decode = (model: ScriptedModel) => speculative({ drafters: makeDrafter(model) });
  const bench = new DecoderBench(decode, options);
  return [
    ...proposalChecks(bench, makeDrafter),
    ...stateChecks(bench, makeDrafter, options),
    ...decoderChecks(decode, options),
  ];
}

/**
 * Registers the conformance suite of drafters with vitest: its proposals and its state, and then everything
 * `testDecoder` checks of `speculative()` with this drafter.
 *
 * @param makeDrafter - Makes the drafter for a model; called once for each model.
 */
export function testDrafter(
  name: string,
  makeDrafter: (model: ScriptedModel) => Drafter,
  options: DrafterTestOptions = {},
): void {
  registerChecks(`drafter ${name}`, drafterChecks(makeDrafter, options), options.skip);
}

/** What it proposes, whoever drafts beside it and whoever verifies. */
function proposalChecks(bench: DecoderBench, makeDrafter: (model: ScriptedModel) => Drafter): Check[] {
  return [
    {
      name: "proposals keep to every limit, draw draft noise only, and leave the session alone",
      run: async () => {
        for (const script of Object.values(SCRIPTS)) {
          for (let nodes = 1; nodes <= 9; nodes++) {
            const model = bench.model(script);
            const audit = newAudit();
            const drafters = auditedDrafter(makeDrafter(model), audit);
            const decoder = speculative({ drafters, budget: fixedBudget({ nodes }) });
            for (const [seed, prompt] of prompts(6).entries()) {
              const options = {
                prompt,
                decoder,
                seed,
                maxTokens: 24,
                prefillChunk: 5,
                temperature: seed % 2,
              };
              const { report } = await generate(model, options);
              expect(report.drafted).toBeLessThanOrEqual(nodes * report.targetPasses);
            }
            expect(audit.live, "draftings that were not disposed").toBe(0);
            expect(audit.verifications).toBeGreaterThanOrEqual(audit.proposals);
          }
        }
      },
    },
    {
      name: "merged with other drafters it changes no text",
      run: async () => {
        for (const script of Object.values(SCRIPTS)) {
          const model = bench.model(script);
          const others = [
            oracleDrafter(model, { name: "oracle beside it" }),
            randomDrafter({ seed: 4, vocabularySize: 6, name: "random beside it" }),
          ];
          const decoder = speculative({ drafters: [makeDrafter(model), ...others] });
          const reversed = speculative({ drafters: [...others, makeDrafter(model)] });
          for (const prompt of prompts(6)) {
            const expected = outcome(await bench.expected(script, { prompt, maxTokens: 20 }));
            expect(outcome(await generate(model, { prompt, maxTokens: 20, decoder }))).toEqual(expected);
            expect(outcome(await generate(model, { prompt, maxTokens: 20, decoder: reversed }))).toEqual(
              expected,
            );
          }
        }
      },
    },
    {
      name: "under rejection it gives plain decoding's tokens at temperature 0",
      run: async () => {
        for (const script of Object.values(SCRIPTS)) {
          const model = bench.model(script);
          const decoder = speculative({ drafters: makeDrafter(model), verifier: rejection() });
          for (const prompt of prompts(6)) {
            const given = await generate(model, { prompt, maxTokens: 20, decoder });
            expect(outcome(given)).toEqual(outcome(await bench.expected(script, { prompt, maxTokens: 20 })));
          }
        }
      },
    },
  ];
}

/** What it remembers: the same for the same passes, apart on branches, gone after dispose. */
function stateChecks(
  bench: DecoderBench,
  makeDrafter: (model: ScriptedModel) => Drafter,
  { forgets = false }: DrafterTestOptions,
): Check[] {
  const start = (script: keyof typeof SCRIPTS, options: { chunk?: number; missingPrefix?: number } = {}) => {
    const model = bench.model(SCRIPTS[script]);
    return DraftDriver.start({
      model,
      drafter: makeDrafter(model),
      prompt: prompts(6)[3]!,
      sampling: { temperature: 0.7 },
      ...options,
    });
  };
  const scripts = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];
  return [
    {
      name: "the same passes give the same drafts, in whatever chunks the prompt was run",
      run: async () => {
        for (const script of scripts) {
          const expected = await rounds(await start(script), 8);
          for (const chunk of [1, 5, 7])
            expect(await rounds(await start(script, { chunk }), 8)).toEqual(expected);
        }
      },
    },
    {
      name: "a fork drafts like the original, and neither disturbs the other",
      run: async () => {
        for (const script of scripts) {
          const control = await start(script);
          await rounds(control, 4);
          const expected = await rounds(control, 6);
          const original = await start(script);
          await rounds(original, 4);
          const fork = original.fork();
          const other = original.fork();
          await rounds(other, 3, 2);
          other.dispose();
          expect(await rounds(fork, 6), "drafts of the fork").toEqual(expected);
          fork.dispose();
          expect(await rounds(original, 6), "drafts of the original").toEqual(expected);
        }
      },
    },
    {
      name: forgets ? "after truncating it drafts as before" : "after truncating it drafts on",
      run: async () => {
        for (const script of scripts) {
          const driver = await start(script);
          const length = driver.session.tokens.length;
          const text = driver.text;
          const before = await rounds(driver, 5);
          driver.truncate(length);
          expect(driver.text).toEqual(text);
          const after = await rounds(driver, 5);
          if (forgets) expect(after).toEqual(before);
          expect(driver.text.length).toBeGreaterThan(length + 5);
        }
      },
    },
    {
      name: "it starts behind a prefix that it never saw",
      run: async () => {
        for (const script of scripts) {
          for (const missingPrefix of [1, 6, 11]) {
            const driver = await start(script, { missingPrefix });
            expect(await rounds(driver, 5)).toHaveLength(5);
          }
        }
      },
    },
    {
      name: "dispose frees what it holds in the model",
      run: async () => {
        const model = bench.model(looping);
        const driver = await DraftDriver.start({
          model,
          drafter: makeDrafter(model),
          prompt: prompts(6)[2]!,
        });
        await rounds(driver, 4);
        const fork = driver.fork();
        await rounds(fork, 2);
        fork.dispose();
        driver.dispose();
        expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
      },
    },
  ];
}

async function rounds(driver: DraftDriver, count: number, limit = 5): Promise<DraftShape[]> {
  const shapes: DraftShape[] = [];
  for (let round = 0; round < count; round++) shapes.push(await driver.round(limit));
  return shapes;
}
