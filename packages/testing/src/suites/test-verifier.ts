import { pointLaw, type Random, seededRandom, type TokenId, type Verifier } from "@foretoken/core";
import { expect } from "vitest";
import { expectLaw } from "../law/compare-law.ts";
import { exactLaw } from "../law/exact-law.ts";
import { type Check, registerChecks, type Skips } from "./check.ts";
import { lawOfTexts, treeKinds, VOCABULARY } from "./drafted-trees.ts";
import { type VerifiedTextInput, verifiedText } from "./verified-text.ts";

/** Options of {@link testVerifier}. */
export interface VerifierTestOptions {
  /** Draws of each law check; default 30,000. */
  readonly draws?: number;
  readonly skip?: Skips;
}

const PROMPT = [0, 2];
const LENGTH = 3;

/** The checks that {@link testVerifier} registers, for tests of tests. */
export function verifierChecks(
  makeVerifier: () => Verifier,
  { draws = 30_000 }: VerifierTestOptions = {},
): readonly Check[] {
  const { level } = makeVerifier().guarantee();
  const checks: Check[] = [
    {
      name: "no token of probability 0 is emitted, whatever the random numbers",
      run: () => refusesHoles(makeVerifier),
    },
    {
      name: "random numbers are keyed by the node's position, and none is used twice",
      run: () => keysRandom(makeVerifier),
    },
    { name: "every sequence has its own state", run: () => keepsApart(makeVerifier) },
    {
      name: "the guarantee has a reason, and stays the same",
      run: () => {
        const verifier = makeVerifier();
        expect(verifier.guarantee().reasons.length).toBeGreaterThan(0);
        expect(verifier.guarantee()).toEqual(makeVerifier().guarantee());
      },
    },
  ];
  if (level === "altered") return checks;
  checks.push({
    name: "at temperature 0 the text is the target's own",
    run: () => followsPoints(makeVerifier),
  });
  if (level === "identical") {
    checks.push({
      name: "every tree gives the tokens of the same seed",
      run: () => matchesSeeds(makeVerifier),
    });
  }
  for (const [holes, where] of [
    [0, "everywhere"],
    [0.4, "where laws have holes"],
  ] as const) {
    for (const kind of Object.keys(treeKinds(lawOfTexts(1)))) {
      checks.push({
        name: `texts have the exact law ${where}: ${kind}`,
        run: () => hasExactLaw(makeVerifier, kind, holes, draws),
      });
    }
  }
  return checks;
}

/**
 * Registers the conformance suite of verifiers with vitest. Verifiers are walked over trees of every kind without a model:
 * the text has the target's exact law, or the tokens of the same seed, as the guarantee says.
 *
 * @param makeVerifier - Makes the verifier; called for every walk that needs state of its own.
 */
export function testVerifier(
  name: string,
  makeVerifier: () => Verifier,
  options: VerifierTestOptions = {},
): void {
  registerChecks(`verifier ${name}`, verifierChecks(makeVerifier, options), options.skip);
}

async function hasExactLaw(
  makeVerifier: () => Verifier,
  kind: string,
  holes: number,
  draws: number,
): Promise<void> {
  const lawBehind = lawOfTexts(31, holes);
  const draftBehind = treeKinds(lawOfTexts(32, holes))[kind]!;
  const law = exactLaw({
    logitsOf: (text) =>
      Array.from({ length: VOCABULARY }, (_, token) => lawBehind(text).logProbability(token)),
    prompt: PROMPT,
    length: LENGTH,
    temperature: 1,
  });
  const verification = makeVerifier().start();
  const draw = (seed: number) =>
    verifiedText({
      verification,
      lawBehind,
      draftBehind,
      prompt: PROMPT,
      length: LENGTH,
      random: seededRandom(seed),
    });
  await expectLaw(draw, law, { draws });
}

async function followsPoints(makeVerifier: () => Verifier): Promise<void> {
  const modes = lawOfTexts(41);
  const lawBehind = (text: readonly TokenId[]) => pointLaw(modes(text).mode(), VOCABULARY);
  for (const draftBehind of Object.values(treeKinds(lawOfTexts(42)))) {
    for (let seed = 0; seed < 50; seed++) {
      const prompt = [seed % VOCABULARY];
      const walk = { verification: makeVerifier().start(), lawBehind, draftBehind, prompt, length: 6 };
      const text = [...prompt];
      for (let at = 0; at < 6; at++) text.push(modes(text).mode());
      expect(await verifiedText({ ...walk, random: seededRandom(seed) })).toEqual(text.slice(1));
    }
  }
}

async function matchesSeeds(makeVerifier: () => Verifier): Promise<void> {
  const lawBehind = lawOfTexts(51, 0.2);
  const kinds = treeKinds(lawOfTexts(52, 0.2));
  for (let seed = 0; seed < 50; seed++) {
    const texts: TokenId[][] = [];
    for (const draftBehind of Object.values(kinds)) {
      const walk = {
        verification: makeVerifier().start(),
        lawBehind,
        draftBehind,
        prompt: PROMPT,
        length: 8,
      };
      texts.push(await verifiedText({ ...walk, random: seededRandom(seed) }));
    }
    expect(texts).toEqual(texts.map(() => texts[0]));
  }
}

async function refusesHoles(makeVerifier: () => Verifier): Promise<void> {
  const lawBehind = lawOfTexts(61, 0.5);
  const extremes = [0, 2 ** -53, 0.5, 1 - 2 ** -53];
  for (const uniform of extremes) {
    for (const draftBehind of Object.values(treeKinds(lawOfTexts(62, 0.2)))) {
      for (let seed = 0; seed < 20; seed++) {
        const drafts = seededRandom(seed);
        const random: Random = {
          uniform: (position, purpose, index) =>
            purpose === "draft" ? drafts.uniform(position, purpose, index) : uniform,
          fork: () => random,
        };
        const prompt = [seed % VOCABULARY];
        const walk = {
          verification: makeVerifier().start(),
          lawBehind,
          draftBehind,
          prompt,
          length: 4,
          random,
        };
        const text = [...prompt];
        for (const token of await verifiedText(walk)) {
          if (lawBehind(text).probability(token) === 0) {
            expect.fail(`Token ${token} was emitted behind ${text.join(" ")} at uniforms of ${uniform}.`);
          }
          text.push(token);
        }
      }
    }
  }
}

async function keysRandom(makeVerifier: () => Verifier): Promise<void> {
  const lawBehind = lawOfTexts(71);
  for (const draftBehind of Object.values(treeKinds(lawOfTexts(72)))) {
    for (let seed = 0; seed < 30; seed++) {
      const source = seededRandom(seed);
      const used = new Set<string>();
      let position = 0;
      const random: Random = {
        uniform: (at, purpose, index = 0) => {
          const key = `${at} ${purpose} ${index}`;
          const isOwn = (purpose === "token" || purpose === "accept") && at === position && !used.has(key);
          if (!isOwn) expect.fail(`The number ${key} was used for position ${position}.`);
          used.add(key);
          return source.uniform(at, purpose, index);
        },
        fork: source.fork,
      };
      const inner = makeVerifier().start();
      const verification: VerifiedTextInput["verification"] = {
        visit: (node) => {
          position = node.position;
          return inner.visit({ ...node, random });
        },
      };
      await verifiedText({ verification, lawBehind, draftBehind, prompt: PROMPT, length: 5, random: source });
    }
  }
}

async function keepsApart(makeVerifier: () => Verifier): Promise<void> {
  const lawBehind = lawOfTexts(81);
  const draftBehind = treeKinds(lawOfTexts(82))["drawn and chosen siblings"]!;
  const verifier = makeVerifier();
  const run = (verification: VerifiedTextInput["verification"], seed: number) =>
    verifiedText({
      verification,
      lawBehind,
      draftBehind,
      prompt: PROMPT,
      length: 6,
      random: seededRandom(seed),
    });
  const alone = [await run(makeVerifier().start(), 1), await run(makeVerifier().start(), 2)];
  expect(await Promise.all([run(verifier.start(), 1), run(verifier.start(), 2)])).toEqual(alone);
}
