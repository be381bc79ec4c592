import type { Model } from "@foretoken/core";
import { expect } from "vitest";
import { type Check, registerChecks, type Skips } from "./check.ts";
import { modelRefusalChecks } from "./check-model-refusals.ts";
import { modelRowChecks } from "./check-model-rows.ts";
import { ModelBench, type ModelCheck } from "./model-bench.ts";

/** Options of {@link testModel}. */
export interface ModelTestOptions {
  /** Largest difference of logits that may come from the order of sums; default 1e-4. */
  readonly tolerance?: number;
  /** Whether rows may have siblings; default `true`. */
  readonly tree?: boolean;
  /** Whether layers can be skipped; default `true`. */
  readonly gates?: boolean;
  /** Whether an injected embedding stands for the token it was read from; default `true`. `false` tries none. */
  readonly embeddings?: boolean;
  readonly skip?: Skips;
}

/** The checks that {@link testModel} registers, for tests of tests. Most share one model, which the last one disposes. */
export function modelChecks(
  makeModel: () => Model | Promise<Model>,
  options: ModelTestOptions = {},
): readonly Check[] {
  const { tolerance = 1e-4, tree = true, gates = true, embeddings = true } = options;
  let made: Promise<ModelBench> | undefined;
  const bench = () => {
    made ??= Promise.resolve(makeModel()).then(async (model) => {
      await model.prepare({ tree, gates, embeddings, hidden: [0, 1, "final"] });
      return new ModelBench(model, tolerance);
    });
    return made;
  };
  const check: ModelCheck = (name, run) => ({
    name,
    run: async () => {
      const shared = await bench();
      await run(shared);
      shared.disposeSessions();
    },
  });
  return [
    ...modelRowChecks(check, { tree, gates, embeddings }),
    ...modelRefusalChecks(check),
    {
      name: "a disposed model answers with a code, and takes its sessions along",
      run: async () => {
        const { model } = await bench();
        made = undefined;
        const session = model.createSession();
        await model.dispose();
        expect(session.isDisposed).toBe(true);
        await expect(session.forward([{ token: 0 }])).rejects.toMatchObject({ code: "DISPOSED" });
        expect(() => model.createSession()).toThrow(expect.objectContaining({ code: "DISPOSED" }));
      },
    },
  ];
}

/**
 * Registers the conformance suite of models with vitest: what `Session` and `Pass` promise, checked by running the same text
 * in other ways. It compares a model with itself, so it cannot see a model that is wrong everywhere: keep references for that.
 *
 * @param makeModel - Loads the model; called once, and the last check disposes it.
 */
export function testModel(
  name: string,
  makeModel: () => Model | Promise<Model>,
  options: ModelTestOptions = {},
): void {
  registerChecks(`model ${name}`, modelChecks(makeModel, options), options.skip);
}
