import { expect, test } from "vitest";
import { distance } from "./__fixtures__/distance.ts";
import { reference, tinyModel } from "./__fixtures__/tiny-model.ts";

/** Every GGUF of the fixtures with its reference; the block formats against their own dequantised weights. */
const MODELS: readonly [gguf: string, reference: string][] = [
  ["llama-F16", "llama"],
  ["llama-small-F16", "llama-small"],
  ["llama-untied-F32", "llama-untied"],
  ["mistral-F16", "mistral"],
  ["qwen2-F16", "qwen2"],
  ["qwen3-F16", "qwen3"],
  ...["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K_M", "Q5_K_M", "Q6_K"].map((type): [string, string] => [
    `llama-${type}`,
    `llama-${type}`,
  ]),
];
const TOLERANCE = 1e-4;

test.each(MODELS)(
  "%s in fp32 gives the reference's logits, hidden states and tree rows",
  async (gguf, name) => {
    const { sequences, tree } = reference(name);
    const model = await tinyModel(gguf);
    const sites = [...sequences[0].hidden.keys()];
    await model.prepare({ hidden: sites });
    for (const { tokens, logits, hidden } of sequences) {
      const session = model.createSession();
      const pass = await session.forward(
        tokens.map((token) => ({ token })),
        { logits: "all", hidden: sites },
      );
      for (const [row, expected] of logits.entries()) {
        expect(distance(await pass.logits(row), expected)).toBeLessThan(TOLERANCE);
      }
      for (const [site, rows] of hidden) {
        const read = await pass.hidden(site).read();
        rows.forEach((expected, row) => {
          const actual = read.subarray(row * model.width, (row + 1) * model.width);
          expect(distance(actual, expected)).toBeLessThan(TOLERANCE);
        });
      }
      session.dispose();
    }
    const session = model.createSession();
    const prefix = await session.forward(tree.prefix.map((token) => ({ token })));
    session.commit(prefix.rows);
    const pass = await session.forward(
      tree.tokens.map((token, node) => ({ token, parent: tree.parents[node] })),
      { logits: "all" },
    );
    for (const [node, expected] of tree.logits.entries()) {
      expect(distance(await pass.logits(node), expected)).toBeLessThan(TOLERANCE);
    }
    await model.dispose();
  },
);
