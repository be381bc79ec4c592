import { generate, plain, speculative, type TokenId } from "@foretoken/core";
import { randomLaw, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { headFor, withNetwork } from "./__fixtures__/scripted-network.ts";
import { chimera } from "./chimera.ts";

const VOCABULARY = 8;
/** What follows is settled by the last three tokens. */
const next = (tokens: readonly TokenId[]) =>
  tokens.slice(-3).reduce((sum, token, index) => sum + (index + 1) * token, 1) % VOCABULARY;
const options = { prompt: [1, 2, 3], maxTokens: 41, temperature: 0 };

test("a network that knows the target makes depth + 1 tokens of every pass", async () => {
  const target = scriptedModel({ next, vocabularySize: VOCABULARY, tokenizer: false });
  withNetwork(target, { next });
  const chain = [[0.9], [0.9], [0.9], [0.9]];
  const decoder = speculative({ drafters: chimera({ head: headFor(target, chain), nodes: 4 }) });
  const { tokens, report } = await generate(target, { ...options, decoder });
  expect(tokens).toEqual((await generate(target, { ...options, decoder: plain() })).tokens);
  // The first token comes with the prompt.
  expect(report.targetPasses).toBe(40 / 5);
  expect(report.accepted).toBe(32);
});

test("runs its network once for each level, and no deeper than the answer", async () => {
  const target = scriptedModel({ next, vocabularySize: VOCABULARY, tokenizer: false, record: true });
  const network = withNetwork(target, { next });
  const chain = [[0.9], [0.9], [0.9]];
  const decoder = speculative({ drafters: chimera({ head: headFor(target, chain), nodes: 3 }) });
  await generate(target, { ...options, maxTokens: 6, decoder });
  // Prompt, a token; three drafted and one more; the last one alone.
  expect(network.inspection.passes).toBe(3);
});

test("names the options it cannot use", () => {
  for (const wrong of [{}, { head: 3 }, { head: "a", nodes: 0 }, { head: "a", depth: 2 }]) {
    expect(() => chimera(wrong as never)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  }
});

test("trees with siblings hold the likeliest guesses, likeliest path first", async () => {
  const law = randomLaw({ seed: 3, vocabularySize: VOCABULARY, order: 3 });
  const target = scriptedModel({ law, vocabularySize: VOCABULARY, tokenizer: false });
  withNetwork(target, { law });
  const accuracy = [
    [0.5, 0.3],
    [0.5, 0.1],
  ];
  const drafter = chimera({ head: headFor(target, accuracy), nodes: 4 });
  const trees: { token: TokenId; parent: number; chance?: number }[][] = [];
  const spied = {
    ...drafter,
    start: (context: Parameters<typeof drafter.start>[0]) => {
      const drafting = drafter.start(context);
      const propose = drafting.propose.bind(drafting);
      drafting.propose = async (...given) => {
        const tree = await propose(...given);
        trees.push(tree.nodes.map(({ token, parent, chance }) => ({ token, parent, chance })));
        return tree;
      };
      return drafting;
    },
  };
  const { tokens } = await generate(target, {
    ...options,
    maxTokens: 4,
    decoder: speculative({ drafters: spied }),
  });
  const best = (text: readonly TokenId[]) => {
    const shares = law(text);
    return [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
  };
  const [tree] = trees;
  const text = [...options.prompt, tokens[0]];
  const [first, second] = best(text);
  expect(tree.map(({ parent }) => parent)).toEqual([-1, 0, 0, 1, 2]);
  expect(tree.slice(1).map(({ token }) => token)).toEqual([
    first,
    second,
    best([...text, first])[0],
    best([...text, second])[0],
  ]);
  expect(tree.map(({ chance }) => chance)).toEqual([undefined, 0.5, 0.3, 0.25, 0.15]);
});
