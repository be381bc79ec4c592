import { denseLaw, mergeTrees, type Random, type TokenId, type TokenLaw, TokenTree } from "@foretoken/core";
import { mix } from "../scripted/context-node.ts";
import { randomLaw } from "../scripted/scripted-laws.ts";

/** Makes a tree behind a text, drawing with purpose `"draft"` only. */
export type TreeMaker = (text: readonly TokenId[], random: Random) => TokenTree;

/** Tokens of the laws below. */
export const VOCABULARY = 4;

/** A law of texts by seed; `holes` is the share of impossible tokens. */
export function lawOfTexts(seed: number, holes = 0): (text: readonly TokenId[]) => TokenLaw {
  const shares = randomLaw({ seed, vocabularySize: VOCABULARY, holes });
  const known = new Map<string, TokenLaw>();
  return (text) => {
    const key = text.join();
    let law = known.get(key);
    if (law === undefined) {
      law = denseLaw(Float64Array.from(shares(text)));
      known.set(key, law);
    }
    return law;
  };
}

/** A tree of chosen tokens whose shape depends on the text alone. */
export function chosenTree(seed: number, nodes: number): TreeMaker {
  return (text) => {
    const tree = new TokenTree(text.at(-1)!);
    const hash = text.reduce(mix, seed);
    for (let node = 0; node < nodes; node++) {
      const parent = mix(hash, 2 * node) % (tree.size + 1);
      const token = mix(hash, 2 * node + 1) % VOCABULARY;
      if (tree.child(parent, token) === undefined) tree.add(parent, token, "point", "chosen");
    }
    return tree;
  };
}

/** A tree drawn from a draft's law, so many siblings behind each node of a level. */
export function drawnTree(
  draftLaw: (text: readonly TokenId[]) => TokenLaw,
  branching: readonly number[],
  replacement: boolean,
): TreeMaker {
  return (text, random) => {
    const tree = new TokenTree(text.at(-1)!);
    let draws = 0;
    for (let node = 0; node <= tree.size; node++) {
      const width = branching[tree.nodes[node]!.depth] ?? 0;
      let rest: TokenLaw | undefined = draftLaw([...text, ...tree.path(node)]);
      for (let sibling = 0; sibling < width && rest !== undefined; sibling++) {
        const token = rest.draw(random.uniform(text.length, "draft", draws++));
        tree.add(node, token, rest, "drawn");
        if (!replacement) rest = rest.without(token);
      }
    }
    return tree;
  };
}

/** The trees of several makers as one. */
export function mergedTree(makers: readonly TreeMaker[], merge: typeof mergeTrees = mergeTrees): TreeMaker {
  return (text, random) => merge(makers.map((make) => make(text, random)));
}

/** Every kind of tree a verifier meets, by name. */
export function treeKinds(
  draftLaw: (text: readonly TokenId[]) => TokenLaw,
): Readonly<Record<string, TreeMaker>> {
  const drawn = drawnTree(draftLaw, [2, 2], false);
  return {
    "no draft": chosenTree(1, 0),
    "a chosen chain or tree": chosenTree(2, 5),
    "a drawn chain": drawnTree(draftLaw, [1, 1, 1], false),
    "siblings drawn without replacement": drawn,
    "all tokens drawn without replacement": drawnTree(draftLaw, [VOCABULARY], false),
    "siblings drawn with replacement": drawnTree(draftLaw, [3, 2], true),
    "drawn and chosen siblings": mergedTree([chosenTree(3, 4), drawn]),
  };
}
