import { type CostCurve, type Model, type TokenId, TokenTree } from "@foretoken/core";
import { type Guesses, type ProbePlan, USUAL_CONTEXT } from "./probe-drafter.ts";
import { bestProbeTrees, type ProbePlace, type ProbeTree, type ProbeTrees } from "./probe-trees.ts";

/** Options of {@link statePlan}. */
export interface StatePlanOptions {
  /** Name of the drafter. */
  readonly source: string;
  readonly trees: ProbeTrees;
  /** Rows of one step of a chain. Default 1. */
  readonly copies?: number;
  /** Steps of the chain under a node of another drafter, which no accuracy is known of. */
  readonly foreignProbes: number;
  /** Tokens behind which nothing follows. */
  readonly endTokens: ReadonlySet<TokenId>;
}

/** Spends rows as a state machine of trees says: with guesses for `s` steps, on the tree of state `s` and its probes. */
export function statePlan({
  source,
  trees: { states },
  copies = 1,
  foreignProbes,
  endTokens,
}: StatePlanOptions): ProbePlan {
  const steps = states.length - 1;
  const treeFor = (guesses: Guesses): ProbeTree => states[Math.min(guesses.length, steps)]!;
  return {
    tree(root, guesses, { nodes, depth }) {
      const tree = new TokenTree(root);
      /** For each place its node, where it has one. */
      const placed: (number | undefined)[] = [0];
      for (const place of treeFor(guesses).slice(1)) {
        const above = placed[place.parent];
        const token = tokenOf(place, guesses);
        const isOpen =
          above !== undefined &&
          token !== undefined &&
          tree.size < nodes &&
          place.depth <= depth &&
          !(above > 0 && endTokens.has(tree.nodes[above]!.token));
        placed.push(isOpen ? tree.add(above, token, "point", source, place.chance) : undefined);
      }
      return tree;
    },
    chains(tree, guesses) {
      const places = treeFor(guesses);
      const placeOf: (number | undefined)[] = [0];
      return tree.nodes.map(({ token, parent, depth }, node) => {
        if (node === 0) return steps;
        const above = placeOf[parent];
        const place = places.findIndex(
          (candidate) =>
            candidate.parent === above && candidate.depth === depth && tokenOf(candidate, guesses) === token,
        );
        placeOf.push(above === undefined || place < 0 ? undefined : place);
        if (endTokens.has(token)) return 0;
        return placeOf[node] === undefined ? Math.min(foreignProbes, steps) : places[place]!.probes;
      });
    },
    mostProbes(nodes) {
      const under = states.map((tree) =>
        tree.slice(1, 1 + nodes).reduce((sum, { probes }) => sum + probes, steps),
      );
      return copies * Math.max(...under);
    },
  };
}

const tokenOf = ({ depth, rank }: ProbePlace, guesses: Guesses): TokenId | undefined =>
  guesses[depth - 1]?.ids[rank];

/** Options of {@link modelPlan}. */
export interface ModelPlanOptions extends Omit<StatePlanOptions, "trees" | "endTokens"> {
  /** As {@link bestProbeTrees} takes it. */
  readonly accuracy: readonly (readonly number[])[];
  /** Rows a pass may add to the root and the root's own probes; `"auto"` for those that give most tokens for the time of a pass. */
  readonly rows: number | "auto";
}

/** The plan of the best trees for a model. */
export function modelPlan(
  { cost, tokenizer }: Model,
  { accuracy, rows, copies, ...options }: ModelPlanOptions,
): ProbePlan {
  const trees =
    rows === "auto" ? affordableTrees(accuracy, cost, copies) : bestProbeTrees(accuracy, { rows, copies });
  return statePlan({ ...options, trees, copies, endTokens: new Set(tokenizer?.endTokens) });
}

/** Rows that are tried for a pass, root and root's probes not counted. */
const SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48];

/**
 * The trees that give most tokens for the time of their passes, by the model's cost curve.
 *
 * @see Chen et al. 2024, section 4.2.2, https://arxiv.org/abs/2405.18628
 */
function affordableTrees(accuracy: readonly (readonly number[])[], cost: CostCurve, copies = 1): ProbeTrees {
  const tried = SIZES.map((rows) => bestProbeTrees(accuracy, { rows, copies }));
  const speed = ({ states, shares, tokens }: ProbeTrees) => {
    const ms = states.map((tree) => cost.ms(passRows(tree, copies), USUAL_CONTEXT));
    return tokens / shares.reduce((sum, share, state) => sum + share * ms[state]!, 0);
  };
  return tried.reduce((a, b) => (speed(b) > speed(a) ? b : a));
}

/** Rows of a pass with this tree: root, nodes, probes. */
const passRows = (tree: ProbeTree, copies: number): number =>
  tree.length + copies * tree.reduce((sum, { probes }) => sum + probes, 0);
