import type { ProposeContext, Session, TokenId, TokenTree } from "@foretoken/core";
import { compareLaw, countTexts, exactLaw, fitsLaw, randomLaw, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { aded } from "./aded.ts";

const V = 4;
const PROMPT = [1, 2, 1, 3, 1, 2, 0, 1];
const LENGTH = 3;
const law = randomLaw({ seed: 9, vocabularySize: V, order: 2 });
const model = scriptedModel({ law, vocabularySize: V, tokenizer: false });
const drafter = aded({ nodes: 12 });

type Draw = (text: readonly TokenId[]) => TokenId;
/** Tokens behind a text, given what was drafted there. */
type Choose = (text: readonly TokenId[], tree: TokenTree, draw: Draw) => TokenId[];

const onePerNode: Choose = (text, tree, draw) => {
  const tokens: TokenId[] = [];
  for (let node: number | undefined = 0; node !== undefined; ) {
    tokens.push(draw([...text, ...tokens]));
    node = tree.child(node, tokens.at(-1)!);
  }
  return tokens;
};

/** As the published code samples: every path draws for itself at every place, and the longest match is kept. */
const onePerPath: Choose = (text, tree, draw) => {
  const runs = tree.nodes.map((_, end) => {
    const tokens: TokenId[] = [];
    for (const drafted of [...tree.path(end), undefined]) {
      tokens.push(draw([...text, ...tokens]));
      if (tokens.at(-1) !== drafted) break;
    }
    return tokens;
  });
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest));
};

function uniforms(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes texts with a table that learns on the way, and compares them with the model's law. */
async function fits(choose: Choose): Promise<boolean> {
  const write = (seed: number) => {
    const next = uniforms(seed);
    const draw: Draw = (text) => {
      let rest = next();
      return Math.max(
        0,
        law(text).findIndex((probability) => {
          rest -= probability;
          return rest < 0;
        }),
      );
    };
    const text = [...PROMPT];
    const cached: TokenId[] = text.slice(0, -1);
    const drafting = drafter.start({
      model,
      session: { tokens: cached } as unknown as Session,
      missingPrefix: 0,
    });
    while (text.length < PROMPT.length + LENGTH) {
      const tree = drafting.propose(text.at(-1)!, 12, {} as ProposeContext) as TokenTree;
      text.push(...choose(text, tree, draw));
      cached.splice(0, cached.length, ...text.slice(0, -1));
    }
    return text.slice(PROMPT.length, PROMPT.length + LENGTH);
  };
  const { logitsOf } = model;
  const exact = exactLaw({ logitsOf, prompt: PROMPT, length: LENGTH, temperature: 1 });
  return fitsLaw(compareLaw(await countTexts(write, 8_000), exact));
}

test("one draw at each visited node keeps the target's law while the table learns", async () => {
  expect(await fits(onePerNode)).toBe(true);
});

test("a draw for each path does not", async () => {
  expect(await fits(onePerPath)).toBe(false);
});
