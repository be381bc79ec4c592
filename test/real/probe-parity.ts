import { readFileSync } from "node:fs";
import type { Model, RowInput } from "@foretoken/core";
import { expect } from "vitest";

/** What the training code computes behind probes; made by training/foretoken_training/probe_fixture.py. */
interface ProbeFixture {
  readonly tokens: readonly number[];
  readonly places: readonly {
    /** The row behind which the probes hang. */
    readonly anchor: number;
    /** For each step, the largest logits. */
    readonly probes: readonly { readonly ids: readonly number[]; readonly logits: readonly number[] }[];
  }[];
}

/**
 * Runs the fixture's text with probes behind it, and compares their logits with the training code's.
 *
 * @param fixture - Address of the file.
 * @param probe - What the probe of a step feeds, from 1.
 */
export async function expectTrainingLogits(
  model: Model,
  fixture: URL,
  probe: (step: number) => Omit<RowInput, "parent">,
): Promise<void> {
  const { tokens, places } = JSON.parse(readFileSync(fixture, "utf8")) as ProbeFixture;
  const rows: RowInput[] = tokens.map((token) => ({ token }));
  for (const { anchor, probes } of places) {
    for (const index of probes.keys()) {
      rows.push({ ...probe(index + 1), parent: index === 0 ? anchor : rows.length - 1 });
    }
  }
  const session = model.createSession();
  const pass = await session.forward(rows, { logits: "all" });
  for (const [index, { ids, logits }] of places.flatMap(({ probes }) => probes).entries()) {
    const given = await pass.logits(tokens.length + index);
    for (const [at, id] of ids.entries()) expect(Math.abs(given[id]! - logits[at]!)).toBeLessThan(1e-3);
  }
  session.dispose();
}
