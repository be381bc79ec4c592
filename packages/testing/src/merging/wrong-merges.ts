import { mergeTrees, TokenTree, type Trial } from "@foretoken/core";

/** The root's trials of several trees, in order of the trees. */
function rootTrials(trees: readonly TokenTree[]): readonly Trial[] {
  return trees.flatMap((tree) => tree.nodes[0]!.trials);
}

function rebuilt(trees: readonly TokenTree[], trials: readonly Trial[]): TokenTree {
  const tree = new TokenTree(trees[0]!.nodes[0]!.token);
  for (const { token, proposal, source } of trials) tree.add(0, token, proposal, source);
  return tree;
}

const isChosen = ({ proposal }: Trial) => proposal === "point";
const isDrawn = (trial: Trial) => !isChosen(trial);

/**
 * Ways to merge trees of depth 1 that look right and are not: the law of the text changes. They are what tests of merging
 * must be able to tell from `mergeTrees`.
 */
export const wrongMerges: Readonly<Record<string, typeof mergeTrees>> = {
  "deterministic first, sampled duplicate dropped": (trees) => {
    const trials = rootTrials(trees);
    const chosen = trials.filter(isChosen);
    const drawn = trials.filter(
      (trial) => isDrawn(trial) && !chosen.some((other) => other.token === trial.token),
    );
    return rebuilt(trees, [...chosen, ...drawn]);
  },
  "deterministic child treated as drawn": (trees) => {
    const trials = rootTrials(trees);
    const law = trials.find(isDrawn)?.proposal;
    // Only where the law could have drawn it: the loop refuses a proposal that gives its token nothing.
    const drawable = (trial: Trial) =>
      law !== undefined && law !== "point" && isChosen(trial) && law.probability(trial.token) > 0;
    return rebuilt(
      trees,
      trials.map((trial) => (drawable(trial) ? { ...trial, proposal: law! } : trial)),
    );
  },
  "sampled nodes trimmed by probability": (trees) => {
    const merged = mergeTrees(trees);
    const { trials } = merged.nodes[0]!;
    const drawn = trials.filter(isDrawn);
    const first = drawn[0]?.proposal;
    if (first === undefined || first === "point") return merged;
    const kept = [...drawn]
      .sort((a, b) => first.probability(b.token) - first.probability(a.token))
      .slice(0, Math.ceil(drawn.length / 2));
    return rebuilt(
      trees,
      trials.filter((trial) => isChosen(trial) || kept.includes(trial)),
    );
  },
};
