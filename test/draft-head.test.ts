import { readFileSync } from "node:fs";
import type { RowInput } from "@foretoken/core";
import { loadHead } from "@foretoken/drafting";
import { fileSource, loadRuntime, openGguf, type RuntimeModel } from "@foretoken/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shared } from "./shared.ts";

const folder = new URL("../packages/drafting/src/__fixtures__/tiny-head/", import.meta.url);
/** Made by training/foretoken_training/draft_fixture.py. */
const expected: {
  readonly tokens: readonly number[];
  /** Rows that have a state of the target; those behind it are drafted. */
  readonly textLength: number;
  readonly states: readonly (readonly number[])[];
  readonly logits: readonly (readonly number[])[];
} = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8"));

let target: RuntimeModel;
let model: RuntimeModel;

beforeAll(async () => {
  const weights = await openGguf(await fileSource(shared("fixtures/gguf/llama-small-F16.gguf")));
  target = await loadRuntime(weights, { dtype: "fp32", threads: 1 });
  model = await target.loadHead(await loadHead(folder));
  await model.prepare({ hidden: ["final"] });
});
afterAll(() => target.dispose());

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

test("computes the training code's logits on a text and on a chain it drafts itself", async () => {
  const { tokens, textLength, states, logits } = expected;
  const session = model.createSession();
  const text = tokens.slice(0, textLength).map((token, row): RowInput => {
    return { token, feature: row === 0 ? undefined : Float32Array.from(states[row - 1]) };
  });
  const pass = await session.forward(text, { logits: "all", hidden: ["final"] });
  for (let row = 0; row < textLength; row++) {
    expect(largestDifference(await pass.logits(row), logits[row])).toBeLessThan(1e-3);
  }
  let feature = (await pass.hidden("final").read()).slice(-model.width);
  session.commit(pass.rows);
  for (let row = textLength; row < tokens.length; row++) {
    const step = await session.forward([{ token: tokens[row], feature }], {
      logits: "all",
      hidden: ["final"],
    });
    expect(largestDifference(await step.logits(0), logits[row])).toBeLessThan(1e-3);
    feature = (await step.hidden("final").read()).slice();
    session.commit(step.rows);
  }
  session.dispose();
});

test("a row without the target's state is another row", async () => {
  const session = model.createSession();
  const { tokens, logits } = expected;
  const pass = await session.forward([{ token: tokens[0] }, { token: tokens[1] }], { logits: "all" });
  expect(largestDifference(await pass.logits(0), logits[0])).toBeLessThan(1e-3);
  expect(largestDifference(await pass.logits(1), logits[1])).toBeGreaterThan(0.1);
  session.dispose();
});

test("a head is loaded once, and a model that is none takes no features", async () => {
  expect(await target.loadHead(await loadHead(folder))).toBe(model);
  const session = target.createSession();
  const rows = [{ token: 1, feature: new Float32Array(target.width) }];
  await expect(session.forward(rows)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  session.dispose();
});

test("a feature of another width is refused", async () => {
  const session = model.createSession();
  const rows = [{ token: 1, feature: new Float32Array(3) }];
  await expect(session.forward(rows)).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
  session.dispose();
});
