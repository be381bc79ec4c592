import type { Decoder } from "@foretoken/core";
import type { ScriptedModel } from "../scripted/scripted-model.ts";
import { type Check, registerChecks } from "./check.ts";
import { endingChecks } from "./check-endings.ts";
import { equalityChecks } from "./check-equality.ts";
import { failureChecks } from "./check-failures.ts";
import { forkChecks } from "./check-forks.ts";
import { processingChecks } from "./check-processing.ts";
import { reportChecks } from "./check-reports.ts";
import { sessionChecks } from "./check-sessions.ts";
import { DecoderBench, type DecoderTestOptions } from "./decoder-bench.ts";

/** The checks that {@link testDecoder} registers, for tests of tests. */
export function decoderChecks(
  makeDecoder: (model: ScriptedModel) => Decoder,
  options: DecoderTestOptions = {},
): readonly Check[] {
  const bench = new DecoderBench(makeDecoder, options);
  return [
    ...equalityChecks(bench),
    ...endingChecks(bench),
    ...processingChecks(bench),
    ...sessionChecks(bench),
    ...forkChecks(bench),
    ...failureChecks(bench),
    ...reportChecks(bench),
  ];
}

/**
 * Registers the conformance suite of decoders with vitest: equality or law by guarantee, endings, log-probabilities and
 * processors, sessions, forks, failures, reports. Checks named A1, B3 … are faults that users of other decoders met.
 *
 * @param name - Title of the `describe` block.
 * @param makeDecoder - Makes the decoder for a model; called once for each model, and the decoder is used for many answers.
 */
export function testDecoder(
  name: string,
  makeDecoder: (model: ScriptedModel) => Decoder,
  options: DecoderTestOptions = {},
): void {
  registerChecks(`decoder ${name}`, decoderChecks(makeDecoder, options), options.skip);
}
