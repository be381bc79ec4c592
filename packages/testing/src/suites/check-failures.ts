import { type ErrorCode, generate, type Session } from "@foretoken/core";
import { expect } from "vitest";
import type { Faults } from "../scripted/inspection.ts";
import type { ScriptedModel } from "../scripted/scripted-model.ts";
import type { Check } from "./check.ts";
import { type DecoderBench, outcome } from "./decoder-bench.ts";
import { looping } from "./suite-scripts.ts";

const PROMPT = [0, 1, 2, 3, 4, 5, 0, 1, 2];
const OPTIONS = { prompt: PROMPT, maxTokens: 12, temperature: 0.8, seed: 2, prefillChunk: 4 };

/** What happens when something goes wrong in the middle. */
export function failureChecks(bench: DecoderBench): Check[] {
  return [
    {
      name: "E1: an abort before the call runs nothing",
      run: async () => {
        const model = bench.model(looping);
        const call = generate(model, {
          ...OPTIONS,
          decoder: bench.decoder(model),
          signal: AbortSignal.abort(),
        });
        await expect(call).rejects.toMatchObject({ code: "ABORTED" });
        expect(model.inspection).toMatchObject({ passes: 0, liveSessions: 0 });
      },
    },
    {
      name: "E1: an abort at any await keeps the text so far, and the session goes on",
      run: () => abortEverywhere(bench),
    },
    {
      name: "a pass that fails leaves the session at its last commit",
      run: async () => {
        const passes = await passesOf(bench);
        for (let pass = 1; pass <= passes; pass++)
          await expectRollBack(bench, "DEVICE_FAILED", { throwAtPass: pass });
      },
    },
    {
      name: "A9: NaN logits are an error, and leave the session at its last commit",
      run: async () => {
        for (let position = PROMPT.length - 1; position < PROMPT.length + 8; position++) {
          await expectRollBack(bench, "INVALID_LOGITS", { nanAt: (at) => at === position });
        }
      },
    },
    {
      name: "a full pool is an error, and leaves the session at its last commit",
      run: async () => {
        const model = bench.model({ ...looping, poolRows: 24 });
        const session = model.createSession();
        const call = generate(model, { ...OPTIONS, maxTokens: 100, session, decoder: bench.decoder(model) });
        await expect(call).rejects.toMatchObject({ code: "POOL_FULL" });
        expectAtRest(model, session);
      },
    },
    {
      name: "disposing the model in the middle is an error, and nothing is left running",
      run: async () => {
        const model = bench.model(looping);
        let disposal: Promise<void> | undefined;
        model.inspection.faults.onAwait = (point) => {
          if (point === "run" && model.inspection.passes === 4) disposal ??= model.dispose();
        };
        const call = generate(model, { ...OPTIONS, maxTokens: 100, decoder: bench.decoder(model) });
        await expect(call).rejects.toMatchObject({ code: "DISPOSED" });
        await disposal;
        expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
      },
    },
  ];
}

/** Aborts once at each place where the model waits during a clean run. */
async function abortEverywhere(bench: DecoderBench): Promise<void> {
  let awaits = 0;
  const clean = bench.model(looping);
  clean.inspection.faults.onAwait = () => awaits++;
  const whole = await generate(clean, { ...OPTIONS, decoder: bench.decoder(clean) });
  for (let at = 1; at <= awaits; at++) {
    const model = bench.model(looping);
    const session = model.createSession();
    const decoder = bench.decoder(model);
    const abort = new AbortController();
    let seen = 0;
    let passes = 0;
    model.inspection.faults.onAwait = () => {
      if (++seen !== at) return;
      passes = model.inspection.passes;
      abort.abort();
    };
    const partial = await generate(model, { ...OPTIONS, session, decoder, signal: abort.signal });
    expect(partial.finish, `aborted at await ${at} of ${awaits}`).toBe(
      partial.tokens.length < OPTIONS.maxTokens ? "aborted" : "length",
    );
    expect(model.inspection.passes, "passes begun after the abort").toBe(passes);
    expect(session.pendingCount).toBe(0);
    expect([...PROMPT, ...partial.tokens].slice(0, session.tokens.length)).toEqual(session.tokens);
    const again = await generate(model, { ...OPTIONS, session, decoder });
    expect(again.tokens).toHaveLength(OPTIONS.maxTokens);
    if (bench.level !== "identical") continue;
    expect(partial.tokens).toEqual(whole.tokens.slice(0, partial.tokens.length));
    expect(outcome(again)).toEqual(outcome(whole));
  }
}

/** Target passes of a clean run, those of the prompt included. */
async function passesOf(bench: DecoderBench): Promise<number> {
  const model = bench.model(looping);
  await generate(model, { ...OPTIONS, decoder: bench.decoder(model) });
  return model.inspection.passes;
}

/** Breaks the model, expects the error and a session at rest, repairs it, and expects the whole answer. */
async function expectRollBack(bench: DecoderBench, code: ErrorCode, faults: Faults): Promise<void> {
  const model = bench.model(looping);
  const session = model.createSession();
  const options = { ...OPTIONS, session, decoder: bench.decoder(model) };
  Object.assign(model.inspection.faults, faults);
  await expect(generate(model, options), JSON.stringify(faults)).rejects.toMatchObject({ code });
  expectAtRest(model, session);
  expect(session.tokens.slice(0, PROMPT.length)).toEqual(PROMPT.slice(0, session.tokens.length));
  for (const fault of Object.keys(faults)) delete model.inspection.faults[fault as keyof Faults];
  const again = await generate(model, options);
  expect(again.tokens).toHaveLength(OPTIONS.maxTokens);
  if (bench.level === "identical")
    expect(outcome(again)).toEqual(outcome(await bench.once(looping, OPTIONS)));
}

function expectAtRest(model: ScriptedModel, session: Session): void {
  expect([session.pendingCount, model.inspection.liveSlots]).toEqual([0, session.tokens.length]);
}
