import { readFileSync } from "node:fs";
import { fixedBudget, generate, plain, type RowInput, speculative } from "@foretoken/core";
import { loadPromptTokens, ppd } from "@foretoken/ppd";
import { promptLookup } from "@foretoken/prompt-lookup";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { smollm2Ppd } from "@foretoken/smollm2-heads";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Made by the training code: what it computes behind prompt tokens. */
const expected: {
  readonly tokens: readonly number[];
  readonly places: readonly {
    /** The row behind which the probes hang. */
    readonly anchor: number;
    /** For each step, the largest logits. */
    readonly probes: readonly { readonly ids: readonly number[]; readonly logits: readonly number[] }[];
  }[];
} = JSON.parse(
  readFileSync(new URL("../../plugins/ppd/src/__fixtures__/smollm2-ppd.json", import.meta.url), "utf8"),
);

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test("logits behind prompt tokens are the training code's", async () => {
  const part = await loadPromptTokens(smollm2Ppd);
  const { width, steps } = part.manifest.shape;
  const embeddings = part.floats("embeddings");
  await model.prepare({ embeddings: true, tree: true });
  const { tokens, places } = expected;
  const rows: RowInput[] = tokens.map((token) => ({ token }));
  for (const { anchor } of places) {
    for (let step = 0; step < steps; step++) {
      const embedding = embeddings.subarray(step * width, (step + 1) * width);
      rows.push({ embedding, parent: step === 0 ? anchor : rows.length - 1 });
    }
  }
  const session = model.createSession();
  const pass = await session.forward(rows, { logits: "all" });
  let row = tokens.length;
  for (const { probes } of places) {
    for (const { ids, logits } of probes) {
      const given = await pass.logits(row++);
      for (const [index, id] of ids.entries())
        expect(Math.abs(given[id]! - logits[index]!)).toBeLessThan(1e-3);
    }
  }
  session.dispose();
}, 60_000);

test.each([0, 0.8])(
  "at temperature %d the text is plain decoding's, alone and merged",
  async (temperature) => {
    const messages = [{ role: "user", content: "Write the numbers from one to ten as words, twice." }];
    const options = { messages, maxTokens: 48, temperature, seed: 5 };
    const wanted = await generate(model, { ...options, decoder: plain() });
    const drafter = ppd({ head: smollm2Ppd, rows: 8 });
    const budget = fixedBudget({ nodes: 6 });
    for (const drafters of [[drafter], [promptLookup(), drafter]]) {
      const { tokens, report } = await generate(model, {
        ...options,
        decoder: speculative({ drafters, budget }),
      });
      expect(tokens).toEqual(wanted.tokens);
      expect(report.bySource.ppd!.accepted).toBeGreaterThan(0);
      expect(model.cacheUse.rows).toBe(0);
    }
  },
  120_000,
);
