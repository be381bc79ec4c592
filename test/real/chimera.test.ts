import { readFileSync } from "node:fs";
import { chimera, chimeraDraft, loadChimera } from "@foretoken/chimera";
import { generate, lawStateFor, plain, seededRandom, speculative, TokenTree } from "@foretoken/core";
import { rsd } from "@foretoken/rsd";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { smollm2Chimera } from "@foretoken/smollm2-heads";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Made by training/foretoken_training/chimera_fixture.py. */
const expected: {
  readonly tokens: readonly number[];
  /** Tokens that have a state of the target; root and path follow. */
  readonly textLength: number;
  /** The logits that are listed. */
  readonly columns: readonly number[];
  readonly logits: readonly (readonly number[])[];
} = JSON.parse(readFileSync(new URL("../fixtures/smollm2-chimera.json", import.meta.url), "utf8"));

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test("a drafted path has the training code's logits", async () => {
  const { tokens, textLength, columns, logits } = expected;
  const { vocabulary } = await loadChimera(smollm2Chimera);
  const source = chimeraDraft({ head: smollm2Chimera });
  await model.prepare(source.requirements(model));
  await source.prepare!(model);
  const session = model.createSession();
  const state = source.start({ model, session, missingPrefix: 0 });
  const rowTokens = tokens.slice(0, textLength);
  const order = [...rowTokens.keys()];
  const pass = await session.forward(
    rowTokens.map((token) => ({ token })),
    { hidden: ["final"] },
  );
  await state.observe({
    kind: "prefill",
    pass,
    position: 0,
    rowTokens,
    parents: order.map((row) => row - 1),
    committed: order,
    next: tokens[textLength],
    probes: [],
  });
  session.commit(pass.rows);

  const tree = new TokenTree(tokens[textLength]);
  const { vocabularySize } = model;
  const law = lawStateFor({ temperature: 1 }, { vocabularySize, promptTokens: rowTokens });
  state.begin(tree, { random: seededRandom(1), law });
  for (let step = 0, node = 0; step < logits.length; step++) {
    if (step > 0) node = tree.add(node, tokens[textLength + step], "point", "test");
    const [drafted] = await state.expand([node]);
    // Laws know no constant that is added to all logits.
    const given = columns.map((column) => drafted!.logProbability(vocabulary[column]));
    const shift = given[0] - logits[step][0];
    for (const [index, value] of given.entries()) {
      expect(Math.abs(value - logits[step][index] - shift)).toBeLessThan(1e-3);
    }
  }
  session.dispose();
  state.dispose();
}, 60_000);

test.each([
  ["as a drafter", chimera({ head: smollm2Chimera, nodes: 4 }), 0.25],
  [
    "as a source of sampled trees",
    rsd({ source: chimeraDraft({ head: smollm2Chimera }), width: 2, depth: 2 }),
    0.1,
  ],
])(
  "%s it changes no token, and is accepted now and then",
  async (_, drafters, least) => {
    const messages = [
      { role: "user", content: "If a shop sells 3 apples for 2 dollars, what do 12 apples cost?" },
    ];
    const options = { messages, maxTokens: 30, temperature: 0, seed: 1 };
    const wanted = await generate(model, { ...options, decoder: plain() });
    const { tokens, report } = await generate(model, { ...options, decoder: speculative({ drafters }) });
    expect(tokens).toEqual(wanted.tokens);
    expect(report.accepted / report.targetPasses).toBeGreaterThan(least);
    expect(model.cacheUse.rows).toBe(0);
  },
  120_000,
);
