import type { LogitsProcessor } from "@foretoken/core";
import { test } from "vitest";
import { expectCheckToFail } from "./check.ts";
import { digitsInBraces, language } from "./suite-scripts.ts";
import { processorChecks, testProcessor } from "./test-processor.ts";

type ProcessorBug =
  | "changes its state in place"
  | "counts calls of apply"
  | "bans everything"
  | "writes over the row's end";

/** Bans the last two tokens, right unless given a bug. */
function noRepeats(bug?: ProcessorBug): LogitsProcessor<number[]> {
  let calls = 0;
  return {
    name: "no-repeats",
    init: (prompt) => prompt.slice(-2),
    advance: (last, token) => {
      if (bug === "changes its state in place") {
        last.push(token);
        return last;
      }
      return [...last, token].slice(-2);
    },
    apply: (last, logits) => {
      for (const token of last.slice(-2)) logits[token] = Number.NEGATIVE_INFINITY;
      if (bug === "counts calls of apply") logits[calls++ % logits.length]! -= 0.5;
      if (bug === "bans everything") logits.fill(Number.NEGATIVE_INFINITY);
      if (bug === "writes over the row's end") new Float32Array(logits.buffer).fill(0);
    },
  };
}

testProcessor("no repeats", () => noRepeats());
testProcessor("digits in braces", digitsInBraces as () => LogitsProcessor, { endTokens: [language.end] });

const MUTANTS: Readonly<Record<ProcessorBug, readonly string[]>> = {
  "changes its state in place": [
    "advance leaves the state before as it was",
    "A4, A10: drafts that are always right give plain decoding's text",
  ],
  "counts calls of apply": ["the state depends on the path alone, not on the order of calls"],
  "bans everything": ["apply gives numbers or -Infinity, and leaves a token"],
  "writes over the row's end": ["apply leaves other rows alone"],
};

for (const [bug, names] of Object.entries(MUTANTS)) {
  test(`a processor that ${bug} fails`, async () => {
    const checks = processorChecks(() => noRepeats(bug as ProcessorBug) as LogitsProcessor);
    for (const name of names) await expectCheckToFail(checks, name);
  });
}
