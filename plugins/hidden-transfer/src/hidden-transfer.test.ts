import {
  autoBudget,
  type DraftContext,
  fixedBudget,
  generate,
  type Model,
  plain,
  speculative,
  TokenTree,
} from "@foretoken/core";
import type { TrainedPart } from "@foretoken/drafting";
import { randomLaw, type Script, scriptedModel, tinyModel } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { mapsFor } from "./__fixtures__/transfer-maps.ts";
import { hiddenTransfer } from "./hidden-transfer.ts";
import type { HiddenTransferOptions } from "./options.ts";
import { transferInputs } from "./transfer-extensions.ts";
import type { TransferShape } from "./transfer-maps.ts";

const PROMPT = [1, 2, 3];
/** Counts up, so that every token is known from the one before. */
const counting: Script = { next: (tokens) => (tokens.at(-1)! + 1) % 8 };

const decoderFor = (head: TrainedPart<TransferShape>, options: Omit<HiddenTransferOptions, "head"> = {}) =>
  speculative({ drafters: hiddenTransfer({ head, rows: 24, ...options }) });

test("maps that know the text reach the full depth in every pass", async () => {
  const model = scriptedModel(counting);
  const decoder = decoderFor(mapsFor(model, { accuracy: [[0.9], [0.9], [0.9]] }));
  const { tokens, report } = await generate(model, { prompt: PROMPT, decoder, maxTokens: 41 });
  expect(tokens).toEqual(Array.from({ length: 41 }, (_, index) => (4 + index) % 8));
  // The prefill decides one token, and its pseudo rows are the first draft: ten passes of four.
  expect(report.targetPasses).toBe(10);
  expect(report.bySource["hidden-transfer"]).toEqual({ drafted: 30, accepted: 30 });
});

describe("the note's mask: root r, its children A and B, C under A, two pseudo rows each", () => {
  const accuracy = [[0.5], [0.3]];
  /** r, A, B, C with a text behind each: what the row sees. */
  const [r, A, B, C] = [4, 5, 6, 7] as const;

  async function probesFor(source: "node" | "previous") {
    const model = scriptedModel({ ...counting, probe: () => new Float32Array(8) });
    const maps = mapsFor(model, { accuracy });
    // Nodes that another drafter proposed all get the same chain.
    const drafter = hiddenTransfer({ head: maps, source, rows: 1, foreignProbes: 2 });
    await drafter.prepare!(model);
    const drafting = drafter.start({
      model,
      session: model.createSession(),
      missingPrefix: 0,
    } as DraftContext);
    const tree = new TokenTree(r);
    const child = tree.add(0, A, "point", "other");
    tree.add(0, B, "point", "other");
    tree.add(child, C, "point", "other");
    return { probes: drafting.probes!(tree, 100), inputs: transferInputs(maps) };
  }

  test("every node has a chain of both steps, whose sources are the node itself", async () => {
    const { probes, inputs } = await probesFor("node");
    expect(probes.map(({ node }) => node)).toEqual([0, undefined, 1, undefined, 2, undefined, 3, undefined]);
    for (const [index, { row }] of probes.entries()) {
      const step = 1 + (index % 2);
      expect(row.integers).toEqual({ [inputs.step]: step, [inputs.source]: step });
      expect(row.embedding!.every((value) => value === 0)).toBe(true);
    }
  });

  test("or the pseudo rows before them", async () => {
    const { probes, inputs } = await probesFor("previous");
    expect(probes.map(({ row }) => row.integers![inputs.source])).toEqual(new Array(8).fill(1));
  });

  test("rows see what the mask shows", async () => {
    const seen: string[] = [];
    const model = scriptedModel({
      ...counting,
      probe: (tokens, { embeddings }) => {
        seen.push(`${tokens.slice(PROMPT.length).join(" ")} + ${embeddings.length}`);
        return new Float32Array(8);
      },
    });
    const maps = mapsFor(model, { accuracy });
    const drafter = hiddenTransfer({ head: maps, rows: 1, foreignProbes: 2 });
    await drafter.prepare!(model);
    await model.prepare(drafter.requirements(model));
    const session = model.createSession();
    session.commit((await session.forward(PROMPT.map((token) => ({ token })))).rows);
    const { probes } = await probesFor("node");
    const nodes = [
      { token: r, parent: -1 },
      { token: A, parent: 0 },
      { token: B, parent: 0 },
      { token: C, parent: 1 },
    ];
    const rows = probes.map(({ node, row }, index) => ({ ...row, parent: node ?? nodes.length + index - 1 }));
    const pass = await session.forward([...nodes, ...rows], { logits: "all" });
    const positions = pass.rows.map(({ position }) => position - PROMPT.length);
    expect(positions).toEqual([0, 1, 1, 2, 1, 2, 2, 3, 2, 3, 3, 4]);
    for (let row = 4; row < 12; row++) await pass.logits(row);
    expect(seen).toEqual([
      `${r} + 1`,
      `${r} + 2`,
      `${r} ${A} + 1`,
      `${r} ${A} + 2`,
      `${r} ${B} + 1`,
      `${r} ${B} + 2`,
      `${r} ${A} ${C} + 1`,
      `${r} ${A} ${C} + 2`,
    ]);
  });
});

test("what the maps say changes the speed, never the text", async () => {
  const law = randomLaw({ seed: 9, vocabularySize: 8, order: 2 });
  const options = { prompt: PROMPT, maxTokens: 40, seed: 3, temperature: 0.9 };
  const texts = [];
  for (const seed of [1, 2, 3]) {
    const probe: Script["probe"] = (_tokens, { embeddings }) =>
      Float32Array.from({ length: 8 }, (_, token) => Math.sin(1e3 * seed + 10 * embeddings.length + token));
    const model = scriptedModel({ law, probe });
    texts.push((await generate(model, { ...options, decoder: decoderFor(mapsFor(model)) })).tokens);
  }
  const { tokens } = await generate(scriptedModel({ law }), { ...options, decoder: plain() });
  expect(texts).toEqual([tokens, tokens, tokens]);
});

test("without room for a draft it is plain decoding", async () => {
  const model = scriptedModel(counting);
  const decoder = speculative({
    drafters: hiddenTransfer({ head: mapsFor(model) }),
    budget: fixedBudget({ nodes: 0 }),
  });
  const { tokens, report } = await generate(model, { prompt: PROMPT, decoder, maxTokens: 10 });
  expect(tokens).toEqual([4, 5, 6, 7, 0, 1, 2, 3, 4, 5]);
  expect(report.drafted).toBe(0);
});

describe("an automatic budget", () => {
  test("counts the pseudo rows, and switches them off where they guess nothing", async () => {
    const law = randomLaw({ seed: 2, vocabularySize: 8, order: 3 });
    const model = scriptedModel({ law, probe: () => new Float32Array(8) });
    const drafters = hiddenTransfer({ head: mapsFor(model), rows: 8 });
    await drafters.prepare!(model);
    expect(drafters.cost!(model, 4)).toBeGreaterThan(drafters.cost!(model, 1));
    const options = { prompt: PROMPT, maxTokens: 200 };
    const decoder = speculative({ drafters, budget: autoBudget() });
    const { report } = await generate(model, { ...options, decoder });
    const fixed = await generate(model, { ...options, decoder: speculative({ drafters }) });
    const rowsOf = ({ rows, targetPasses }: typeof report) => rows / targetPasses;
    expect(rowsOf(report)).toBeLessThan(0.4 * rowsOf(fixed.report));
  });

  test("keeps them where they guess right", async () => {
    const model = scriptedModel(counting);
    const maps = mapsFor(model, { accuracy: [[0.9], [0.9], [0.9]] });
    const decoder = speculative({ drafters: hiddenTransfer({ head: maps }), budget: autoBudget() });
    const { report } = await generate(model, { prompt: PROMPT, decoder, maxTokens: 200 });
    expect(report.targetPasses).toBeLessThan(80);
  });
});

describe("what is refused", () => {
  test("maps of other weights, before anything is run", async () => {
    const model = scriptedModel(counting);
    const other = { ...model, contentHash: "f".repeat(64) } as Model;
    const decoder = decoderFor(mapsFor(other));
    await expect(generate(model, { prompt: PROMPT, decoder, maxTokens: 4 })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("was trained on target.gguf"),
    });
    expect(model.inspection.passes).toBe(0);
  });

  test("maps behind layers that the model has not", async () => {
    const model = await tinyModel(4);
    const decoder = decoderFor(mapsFor(model, { layers: [1, 2, 3] }));
    await expect(generate(model, { prompt: PROMPT, decoder, maxTokens: 4 })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("stands behind 3 of 2 layers"),
    });
    await model.dispose();
  });

  test("a model that takes no graph extensions", async () => {
    const model = scriptedModel({ ...counting, abilities: { extensions: [] } });
    await expect(
      generate(model, { prompt: PROMPT, decoder: decoderFor(mapsFor(model)), maxTokens: 4 }),
    ).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test.each([
    [{}],
    [{ head: 3 }],
    [{ head: "x", rows: 0 }],
    [{ head: "x", rows: 49 }],
    [{ head: "x", foreignProbes: -1 }],
    [{ head: "x", source: "next" }],
    [{ head: "x", nodes: 4 }],
  ])("options %j", (options) => {
    expect(() => hiddenTransfer(options as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });

  test("a folder without maps", async () => {
    const decoder = speculative({ drafters: hiddenTransfer({ head: "/nowhere" }) });
    await expect(
      generate(scriptedModel(counting), { prompt: PROMPT, decoder, maxTokens: 4 }),
    ).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});
