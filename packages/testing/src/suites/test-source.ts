import type { DraftSource, TokenId } from "@foretoken/core";
import { expect } from "vitest";
import type { ScriptedModel } from "../scripted/scripted-model.ts";
import { type Check, registerChecks } from "./check.ts";
import { DecoderBench } from "./decoder-bench.ts";
import { drafterOnSource } from "./drafter-on-source.ts";
import { type PathLaws, type RoundOutcome, SourceDriver } from "./source-driver.ts";
import { wandering } from "./suite-scripts.ts";
import { type DrafterTestOptions, drafterChecks } from "./test-drafter.ts";

/** Options of {@link testSource}. */
export interface SourceTestOptions extends Omit<DrafterTestOptions, "forgets"> {}

const TEXT: readonly TokenId[] = [0, 1, 2, 3, 4, 5, 0, 1];

const OUTCOMES: readonly RoundOutcome[] = [
  { own: 2, foreign: 0 },
  { own: 0, foreign: 0 },
  { own: 1, foreign: 0 },
  { own: 0, foreign: 2 },
  { own: 2, foreign: 1 },
  { own: 1, foreign: 2 },
  { own: 0, foreign: 0 },
  { own: 2, foreign: 0 },
];

/** The checks that {@link testSource} registers, for tests of tests. */
export function sourceChecks(
  makeSource: (model: ScriptedModel) => DraftSource,
  options: SourceTestOptions = {},
): readonly Check[] {
  const makeDrafter = (model: ScriptedModel) => drafterOnSource(makeSource(model));
  // Text and source alone decide what is drafted: a state that was set back drafts as before.
  return [...stateChecks(makeSource, options), ...drafterChecks(makeDrafter, { ...options, forgets: true })];
}

/**
 * Registers the conformance suite of draft sources with vitest: its laws, its state, and then everything `testDrafter`
 * checks of a drafter that draws small trees from it.
 *
 * @param makeSource - Makes the source for a target model; called once for each model.
 */
export function testSource(
  name: string,
  makeSource: (model: ScriptedModel) => DraftSource,
  options: SourceTestOptions = {},
): void {
  registerChecks(`source ${name}`, sourceChecks(makeSource, options), options.skip);
}

function stateChecks(makeSource: (model: ScriptedModel) => DraftSource, options: SourceTestOptions): Check[] {
  // Only its models are used: the decoder is never asked for.
  const bench = new DecoderBench(() => undefined as never, { ...options, level: "distribution" });
  const begin = (text = TEXT) => {
    const model = bench.model(wandering);
    const source = makeSource(model);
    return { model, source, started: SourceDriver.start(model, source, text) };
  };
  /** The laws that a state has which saw the text at once. */
  const lawsBehind = async (text: readonly TokenId[]) => {
    const driver = await begin(text).started;
    return (await driver.laws()).laws;
  };
  return [
    {
      name: "laws depend on the text alone, whatever was drafted and accepted before, and by whom",
      run: async () => {
        const driver = await begin().started;
        for (const outcome of OUTCOMES) {
          const text = driver.text;
          expectSameLaws(await driver.round(outcome), await lawsBehind(text));
        }
      },
    },
    {
      name: "laws add up to 1, and a node that was expanded before has the same law again",
      run: async () => {
        const driver = await begin().started;
        const { tree, laws } = await driver.laws();
        for (const law of Object.values(laws)) {
          expect(law!.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
        }
        const again = await driver.state.expand([0, 1, 0]);
        expect(again[0]).toBe(again[2]);
        expect(again[1]!.probability(2)).toBeCloseTo(laws[tree.path(1).join(" ")]![2]!, 9);
      },
    },
    {
      name: "rounds that were begun and never decided leave no trace",
      run: async () => {
        const driver = await begin().started;
        await driver.laws();
        await driver.laws();
        expectSameLaws((await driver.laws()).laws, await lawsBehind(driver.text));
        driver.begin();
        await driver.round({ own: 1, foreign: 0 });
        expectSameLaws((await driver.laws()).laws, await lawsBehind(driver.text));
      },
    },
    {
      name: "a node whose parent was not expanded is refused",
      run: async () => {
        const driver = await begin().started;
        const tree = driver.begin();
        const child = tree.add(0, 1, "point", "test");
        await expect(driver.state.expand([child])).rejects.toMatchObject({ code: "INVALID_DRAFT" });
      },
    },
    {
      name: "nothing is drafted behind end tokens of the target",
      run: async () => {
        const model = bench.model({ ...wandering, tokenizer: { endTokens: [4] } });
        const driver = await SourceDriver.start(model, makeSource(model), TEXT);
        const tree = driver.begin();
        const [law] = await driver.state.expand([0]);
        const nodes = [1, 4].map((token) => tree.add(0, token, law!, "test"));
        const behind = await driver.state.expand(nodes);
        expect(behind.map((found) => found === undefined)).toEqual([false, true]);
      },
    },
    {
      name: "laws of a fork are those of its text, and neither disturbs the other",
      run: async () => {
        const driver = await begin().started;
        await driver.round({ own: 1, foreign: 1 });
        const [fork, other] = [driver.fork(), driver.fork()];
        for (const outcome of OUTCOMES.slice(0, 4)) await other.round(outcome);
        other.dispose();
        for (const outcome of OUTCOMES) {
          const text = fork.text;
          expectSameLaws(await fork.round(outcome), await lawsBehind(text));
        }
        fork.dispose();
        expectSameLaws((await driver.laws()).laws, await lawsBehind(driver.text));
      },
    },
    {
      name: "set back, it drafts behind the shorter text, and then behind another one",
      run: async () => {
        const driver = await begin().started;
        for (const outcome of OUTCOMES.slice(0, 3)) await driver.round(outcome);
        driver.truncate(5);
        expectSameLaws((await driver.laws()).laws, await lawsBehind(driver.text));
        for (const outcome of OUTCOMES.slice(3)) await driver.round(outcome);
        expectSameLaws((await driver.laws()).laws, await lawsBehind(driver.text));
      },
    },
    {
      name: "disposed, it leaves nothing in the target",
      run: async () => {
        const { model, started } = begin();
        const driver = await started;
        for (const outcome of OUTCOMES) await driver.round(outcome);
        await driver.laws();
        driver.dispose();
        expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
      },
    },
  ];
}

function expectSameLaws(given: PathLaws, expected: PathLaws): void {
  expect(Object.keys(given)).toEqual(Object.keys(expected));
  for (const [path, law] of Object.entries(expected)) {
    expect(given[path], `behind "${path}"`).toEqual(law?.map((share) => expect.closeTo(share, 6)));
  }
}
