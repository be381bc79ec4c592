import { type TokenLaw, TokenTree, type Trial } from "@foretoken/core";

/**
 * What must not be done to a tree of siblings drawn without replacement: each looks harmless and changes the law of the text.
 * Tests of drafters that sample must be able to tell such trees from those that were drawn.
 */
export const wrongTrees: Readonly<Record<string, (tree: TokenTree) => TokenTree>> = {
  "siblings are tried in the order of their ids": (tree) => reordered(tree, (a, b) => a.token - b.token),
  "siblings are tried in the order of their probabilities": (tree) =>
    reordered(tree, (a, b, law) => law.probability(b.token) - law.probability(a.token)),
  "a tried token stays in the draft's law": (tree) =>
    rebuilt(tree, (trials) => trials.map((trial) => ({ ...trial, proposal: trials[0]!.proposal }))),
  "improbable nodes are dropped after they were drawn": (tree) => pruned(tree, Math.ceil(tree.size / 2)),
};

/** The same tree with other trials behind each node, without the nodes that have none any more. */
function rebuilt(tree: TokenTree, retry: (trials: readonly Trial[]) => readonly Trial[]): TokenTree {
  const copy = new TokenTree(tree.nodes[0]!.token);
  const places: (readonly [at: number, copied: number])[] = [[0, 0]];
  for (const [at, copied] of places) {
    for (const { token, proposal, source, child } of retry(tree.nodes[at]!.trials)) {
      places.push([child, copy.add(copied, token, proposal, source)]);
    }
  }
  return copy;
}

/** Trials in another order, with the proposals that would belong to it. */
function reordered(tree: TokenTree, compare: (a: Trial, b: Trial, law: TokenLaw) => number): TokenTree {
  return rebuilt(tree, (trials) => {
    if (trials.length === 0) return trials;
    const law = firstLaw(trials);
    let rest: TokenLaw | undefined = law;
    return [...trials]
      .sort((a, b) => compare(a, b, law))
      .map((trial) => {
        const proposal = rest!;
        rest = proposal.without(trial.token);
        return { ...trial, proposal };
      });
  });
}

/** The nodes that the draft finds most probable: drawn ones are thrown away for what they are. */
function pruned(tree: TokenTree, size: number): TokenTree {
  const probability = [1];
  for (const [at, { trials }] of tree.nodes.entries()) {
    for (const { child, token } of trials) {
      probability[child] = probability[at]! * firstLaw(trials).probability(token);
    }
  }
  const best = [...probability.keys()].sort((a, b) => probability[b]! - probability[a]!);
  const kept = new Set(best.slice(0, size + 1));
  return rebuilt(tree, (trials) => trials.filter(({ child }) => kept.has(child)));
}

/** The draft's law behind the node whose trials these are. */
function firstLaw(trials: readonly Trial[]): TokenLaw {
  return trials[0]!.proposal as TokenLaw;
}
