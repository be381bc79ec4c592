import type { TokenId } from "@foretoken/core";
import { TokenTable, tableTree, treeTemplate } from "@foretoken/drafting";
import { compareLaw, countTexts, exactLaw, fitsLaw, randomLaw, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";

/** Uniform numbers in the order they are asked for; this loop throws no work away. */
function uniforms(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

const PROMPT = [1];
const LENGTH = 3;
const law = randomLaw({ seed: 9, vocabularySize: 4, order: 2 });
const template = treeTemplate([[3], [2, 1, 0]]);
const table = new TokenTable({ vocabularySize: 4, candidatesPerToken: 3 });
for (let token = 0; token < 4; token++) table.set(token, [(token + 1) % 4, (token + 2) % 4, token]);
const trees = [0, 1, 2, 3].map((root) => tableTree(root, table, template, "table"));

/** How tokens behind a text are chosen, given what was drafted there. */
type Choose = (text: readonly TokenId[], draw: (text: readonly TokenId[]) => TokenId) => TokenId[];

/** One draw at each visited node; the walk ends where no child holds the token. */
const onePerNode: Choose = (text, draw) => {
  const tree = trees[text.at(-1)!]!;
  const tokens: TokenId[] = [];
  for (let node: number | undefined = 0; node !== undefined; ) {
    tokens.push(draw([...text, ...tokens]));
    node = tree.child(node, tokens.at(-1)!);
  }
  return tokens;
};

/** The published sampling of related methods: every path draws for itself, and the longest match is kept. */
const onePerPath: Choose = (text, draw) => {
  const tree = trees[text.at(-1)!]!;
  const runs = tree.nodes.map((_, leaf) => {
    const tokens: TokenId[] = [];
    for (const drafted of [...tree.path(leaf), undefined]) {
      tokens.push(draw([...text, ...tokens]));
      if (tokens.at(-1) !== drafted) break;
    }
    return tokens;
  });
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest));
};

async function fits(choose: Choose): Promise<boolean> {
  const model = scriptedModel({ law, vocabularySize: 4, tokenizer: false });
  const write = (seed: number) => {
    const next = uniforms(seed);
    const draw = (text: readonly TokenId[]) => {
      const uniform = next();
      let sum = 0;
      const drawn = law(text).findIndex((probability) => {
        sum += probability;
        return uniform < sum;
      });
      return Math.max(0, drawn);
    };
    const text = [...PROMPT];
    while (text.length < PROMPT.length + LENGTH) text.push(...choose(text, draw));
    return text.slice(PROMPT.length, PROMPT.length + LENGTH);
  };
  const exact = exactLaw({
    logitsOf: (text) => model.logitsOf(text),
    prompt: PROMPT,
    length: LENGTH,
    temperature: 1,
  });
  return fitsLaw(compareLaw(await countTexts(write, 8_000), exact));
}

test("one draw for each visited node keeps the target's law", async () => {
  expect(await fits(onePerNode)).toBe(true);
});

test("a draw for each path of the tree does not", async () => {
  expect(await fits(onePerPath)).toBe(false);
});
