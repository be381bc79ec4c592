import { TokenTree } from "./token-tree.ts";

/**
 * One tree with the drafts of several: rows are shared, trials are not.
 *
 * Sampled trials come first, in drawing order, none removed. Chosen ones follow as point masses; where a sibling trial
 * already carries the token they only credit their source. Any other order is not exact (`docs/decisions/merging.md`).
 *
 * @param trees - Trees with the same root, at least one.
 */
export function mergeTrees(trees: readonly TokenTree[]): TokenTree {
  if (trees.length === 1) return trees[0]!;
  const merged = new TokenTree(trees[0]!.nodes[0]!.token);
  /** For each merged node, the nodes of the given trees that stand at the same place. */
  const origins: (readonly (number | undefined)[])[] = [trees.map(() => 0)];

  for (let node = 0; node < origins.length; node++) {
    const places = origins[node]!.flatMap((at, index) =>
      at === undefined ? [] : [{ tree: trees[index]!, at }],
    );
    const trials = places.flatMap(({ tree, at }) => tree.nodes[at]!.trials);
    for (const trial of trials) {
      if (trial.proposal !== "point") merged.add(node, trial.token, trial.proposal, trial.source);
    }
    for (const trial of trials) {
      if (trial.proposal !== "point") continue;
      const child = merged.child(node, trial.token);
      if (child === undefined) merged.add(node, trial.token, "point", trial.source);
      else merged.credit(child, trial.source);
    }
    for (let child = origins.length; child <= merged.size; child++) {
      const { token } = merged.nodes[child]!;
      origins.push(
        origins[node]!.map((at, index) => (at === undefined ? undefined : trees[index]!.child(at, token))),
      );
    }
  }
  return merged;
}
