import { DecodeEmitter, generate, type Report, type StepEvent } from "@foretoken/core";
import { expect } from "vitest";
import type { Check } from "./check.ts";
import { type DecoderBench, prompts } from "./decoder-bench.ts";
import { looping, wandering } from "./suite-scripts.ts";

/** What the events and the report say, and whether it adds up. */
export function reportChecks(bench: DecoderBench): Check[] {
  return [
    {
      name: "events tell the whole text, and add up to the report",
      run: async () => {
        for (const script of [looping, wandering]) {
          for (const prompt of prompts(6)) await expectToAddUp(bench, script, prompt);
        }
      },
    },
    {
      name: "the report names the decoder and its guarantee",
      run: async () => {
        const model = bench.model(looping);
        const decoder = bench.decoder(model);
        const { report, guarantee } = await generate(model, { prompt: [1], decoder, maxTokens: 4 });
        expect(report.decoder).toBe(decoder.name);
        expect(guarantee).toEqual(decoder.guarantee());
        expect(guarantee.reasons.length).toBeGreaterThan(0);
      },
    },
  ];
}

async function expectToAddUp(
  bench: DecoderBench,
  script: Parameters<DecoderBench["model"]>[0],
  prompt: readonly number[],
): Promise<void> {
  const model = bench.model(script);
  const events = new DecodeEmitter();
  const order: string[] = [];
  const steps: StepEvent[] = [];
  for (const name of ["start", "prefill", "step", "finish"] as const) events.on(name, () => order.push(name));
  events.on("step", (step) => steps.push(step));
  const answer = await generate(model, {
    prompt,
    decoder: bench.decoder(model),
    maxTokens: 20,
    temperature: 0.8,
    seed: 9,
    prefillChunk: 5,
    events,
  });
  const { report, tokens } = answer;

  expect(order.join(" ")).toMatch(/^start( prefill)+( step)+ finish$/);
  expect(steps.flatMap((step) => step.tokens)).toEqual(tokens.slice(1));
  let position = prompt.length + 1;
  for (const step of steps) {
    expect(step.position).toBe(position);
    position += step.tokens.length;
    expectSoundStep(step);
  }
  expect(report).toMatchObject({
    tokens: tokens.length,
    targetPasses: steps.length,
    rows: total(steps, (step) => step.rows),
    drafted: total(steps, (step) => step.drafted),
    accepted: total(steps, (step) => step.accepted),
  });
  expect(report.blockEfficiency).toBeCloseTo((tokens.length - 1) / steps.length, 12);
  expect(model.inspection.calls).toBeGreaterThanOrEqual(
    steps.length + order.filter((name) => name === "prefill").length,
  );
  expectDepths(report, steps);
  for (const [source, count] of Object.entries(report.bySource)) {
    expect(count).toEqual({
      drafted: total(steps, (step) => step.bySource[source]?.drafted ?? 0),
      accepted: total(steps, (step) => step.bySource[source]?.accepted ?? 0),
    });
  }
}

/** What one pass says about itself. */
function expectSoundStep({ tokens, tree, path, drafted, accepted, bySource }: StepEvent): void {
  expect(accepted).toBe(path.length);
  expect(tokens.length === accepted || tokens.length === accepted + 1).toBe(true);
  if (tree.length > 0) expect(drafted).toBe(tree.length - 1);
  let parent = 0;
  for (const [at, node] of path.entries()) {
    expect(tree[node]).toMatchObject({ parent, token: tokens[at] });
    parent = node;
  }
  const nodesOf = (source: string) => tree.filter((node) => node.sources.includes(source));
  for (const [source, count] of Object.entries(bySource)) {
    expect(count.drafted).toBe(nodesOf(source).length);
    expect(count.accepted).toBe(path.filter((node) => tree[node]!.sources.includes(source)).length);
  }
}

function expectDepths(report: Report, steps: readonly StepEvent[]): void {
  for (const { depth, offered, accepted } of report.acceptanceByDepth) {
    expect(accepted).toBe(steps.filter((step) => step.accepted >= depth).length);
    expect(offered).toBeGreaterThanOrEqual(accepted);
  }
  expect(total(report.acceptanceByDepth, ({ accepted }) => accepted)).toBe(report.accepted);
}

function total<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
