import {
  type Drafter,
  type DraftSource,
  denseLaw,
  rejection,
  seededRandom,
  type TokenId,
  type TokenTree,
  type Verification,
} from "@foretoken/core";
import { draftTrees } from "../drafters/draft-trees.ts";
import { scriptedSource } from "../drafters/scripted-source.ts";
import { randomLaw } from "../scripted/scripted-laws.ts";
import { verifiedText } from "../suites/verified-text.ts";
import { compareLaw, countTexts, type LawComparison } from "./compare-law.ts";
import { exactLaw } from "./exact-law.ts";

/** Options of {@link compareDrafts}. */
export interface CompareDraftsOptions {
  /** Makes the drafter on a source of four tokens. */
  readonly makeDrafter: (source: DraftSource) => Drafter;
  readonly draws: number;
  /** Share of tokens with probability 0, in target and draft apart. Default 0. */
  readonly holes?: number;
  /** Tokens that end texts. Default none. */
  readonly endTokens?: readonly TokenId[];
  /** Most nodes of a tree. Default what the drafter prefers. */
  readonly limit?: number;
  /** What is done to a tree before it is verified, for tests that must fail. */
  readonly mutate?: (tree: TokenTree) => TokenTree;
  /** Who verifies, for tests that must fail. Default {@link rejection}. */
  readonly verification?: Verification;
}

const VOCABULARY = 4;
const PROMPT: readonly TokenId[] = [1];
const LENGTH = 3;

/**
 * Draws texts of three tokens, over several rounds, with a drafter that samples and recursive rejection, and compares
 * them with the target's law. Target and draft have different random laws that remember the whole text.
 *
 * No model is run, so that 300,000 draws take seconds.
 */
export async function compareDrafts({
  makeDrafter,
  draws,
  holes = 0,
  endTokens = [],
  limit,
  mutate = (tree) => tree,
  verification = rejection().start(),
}: CompareDraftsOptions): Promise<LawComparison> {
  const target = remembered(randomLaw({ seed: 21, vocabularySize: VOCABULARY, holes }));
  const draft = remembered(randomLaw({ seed: 22, vocabularySize: VOCABULARY, holes }));
  const drafter = makeDrafter(scriptedSource({ law: draft }));
  const trees = draftTrees(drafter, { vocabularySize: VOCABULARY, endTokens, limit });
  const lawBehind = remembered((text) => denseLaw(Float64Array.from(target(text))));
  const draw = (seed: number) =>
    verifiedText({
      verification,
      lawBehind,
      draftBehind: async (text, random) => mutate(await trees(text, random)),
      prompt: PROMPT,
      length: LENGTH,
      endTokens,
      random: seededRandom(seed),
    });
  const exact = exactLaw({
    logitsOf: (text) => target(text).map(Math.log),
    prompt: PROMPT,
    length: LENGTH,
    endTokens,
    temperature: 1,
  });
  return compareLaw(await countTexts(draw, draws), exact);
}

/** Computes what belongs to a text once. */
function remembered<T>(compute: (text: readonly TokenId[]) => T): (text: readonly TokenId[]) => T {
  const known = new Map<string, T>();
  return (text) => {
    const key = text.join();
    let found = known.get(key);
    if (found === undefined) {
      found = compute(text);
      known.set(key, found);
    }
    return found;
  };
}
