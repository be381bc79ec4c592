import { DecodingError } from "@foretoken/core";
import { type RankPlace, type RankTree, rankTree } from "./rank-tree.ts";

/** A place of a {@link ProbeTree}. */
export interface ProbePlace extends RankPlace {
  /** `m`: steps of the probe chain that hangs under it. */
  readonly probes: number;
}

/** The tree of a round that has guesses for so many steps. Place 0 is the root; the others stand likeliest first. */
export type ProbeTree = readonly ProbePlace[];

/** A tree for each number of guesses, and how they do together. */
export interface ProbeTrees {
  /** `states[s]` is the tree of a round with guesses for `s` steps, `s = 0 … n`. */
  readonly states: readonly ProbeTree[];
  /** How often each state is met in the long run; adds up to 1. */
  readonly shares: readonly number[];
  /** Tokens a pass to be expected. */
  readonly tokens: number;
}

/** Options of {@link probeTrees} and {@link bestProbeTrees}. */
export interface ProbeTreeOptions {
  /** Rows a pass may add to the root and the root's own probes: nodes, and the probes under them. */
  readonly rows: number;
  /** Rows of one step of a probe chain. Default 1. */
  readonly copies?: number;
  /** Fewest steps of the chain under a node; a node without probes makes a round without guesses. Default 0. */
  readonly least?: number;
}

/**
 * Builds the state machine of trees for drafts whose guesses come out of probe rows: under each node hangs a chain of probes, and the
 * chain of the node that turns out to be the last one accepted limits the depth of the next round's tree. So rows are spent on nodes
 * and on probes, where either are worth most.
 *
 * @param accuracy - `[n][ranks]`: how often the guess of this rank, of probe `1 … n`, is the token that comes. In [0, 1].
 * @param nodes - Nodes of the tree for each number of guesses, `[n]`.
 * @see Chen et al. 2024, "Hardware-Aware Parallel Prompt Decoding", section 4.2, https://arxiv.org/abs/2405.18628
 */
export function probeTrees(
  accuracy: readonly (readonly number[])[],
  nodes: readonly number[],
  options: ProbeTreeOptions,
): ProbeTrees {
  return treesOf(rankTrees(accuracy, Math.max(...nodes)), nodes, options);
}

/**
 * The trees whose node counts give most tokens a pass: each count in turn is set to its best value among the others, until none moves.
 *
 * @param accuracy - As {@link probeTrees} takes it.
 */
export function bestProbeTrees(
  accuracy: readonly (readonly number[])[],
  options: ProbeTreeOptions,
): ProbeTrees {
  const shapes = rankTrees(accuracy, options.rows);
  let counts = accuracy.map(() => Math.ceil(options.rows / 2));
  let best = treesOf(shapes, counts, options);
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (let state = 0; state < counts.length; state++) {
      for (let count = 1; count <= options.rows; count++) {
        const tried = counts.with(state, count);
        const trees = treesOf(shapes, tried, options);
        // Less than rounding is no gain: two counts would take turns for ever.
        if (trees.tokens <= best.tokens + 1e-9) continue;
        best = trees;
        counts = tried;
        isBetter = true;
      }
    }
  }
  return best;
}

/** For each number of guesses `1 … n` the likeliest tree of so many nodes. */
function rankTrees(accuracy: readonly (readonly number[])[], nodes: number): readonly RankTree[] {
  const wrong = accuracy.flat().find((share) => !(share >= 0 && share <= 1));
  if (wrong !== undefined || accuracy.length === 0) {
    throw new DecodingError("INVALID_OPTION", {
      message: `The accuracy of probes is ${wrong === undefined ? "given for no step" : wrong}.`,
      fix: "Give for every step the share of places where each rank is right, from 0 to 1.",
    });
  }
  return accuracy.map((_, step) => rankTree(accuracy.slice(0, step + 1), nodes));
}

/** A place whose probes are not settled yet. */
interface OpenPlace extends RankPlace {
  /** Chance that it is the last node accepted. */
  last: number;
  probes: number;
}

function treesOf(
  shapes: readonly RankTree[],
  nodes: readonly number[],
  { rows, copies = 1, least = 0 }: ProbeTreeOptions,
): ProbeTrees {
  const steps = shapes.length;
  const open = shapes.map((shape, index) => openPlaces(shape.slice(0, 1 + nodes[index]!), steps));
  const gains = [0, ...open.map((places) => expected(places))];
  for (const places of open) spendRows(places, { rows, copies, least, gains });
  const states = [openPlaces(shapes[0]!.slice(0, 1), steps), ...open];
  const shares = stationary(states, steps);
  const tokens = 1 + shares.reduce((sum, share, state) => sum + share * gains[state]!, 0);
  return {
    states: states.map((places) => places.map(({ last: _, ...place }) => place)),
    shares,
    tokens,
  };
}

/** Places with chains of all steps under them. */
function openPlaces(shape: RankTree, steps: number): OpenPlace[] {
  const places = shape.map((place) => ({ ...place, last: place.chance, probes: steps }));
  for (const { parent, chance } of places.slice(1)) places[parent]!.last -= chance;
  return places;
}

/** Drafted tokens to be expected of a tree. */
const expected = (places: readonly OpenPlace[]): number =>
  places.slice(1).reduce((sum, { chance }) => sum + chance, 0);

/** Takes probes away where they are missed least, until nodes and probes are no more than `rows`. */
function spendRows(
  places: readonly OpenPlace[],
  { rows, copies, least, gains }: { rows: number; copies: number; least: number; gains: readonly number[] },
): void {
  const drafted = places.slice(1);
  let spent = drafted.length + copies * drafted.reduce((sum, { probes }) => sum + probes, 0);
  const loss = ({ last, probes }: OpenPlace) => last * (gains[probes]! - gains[probes - 1]!);
  while (spent > rows) {
    const rich = drafted.filter(({ probes }) => probes > least);
    if (rich.length === 0) return;
    const poorest = rich.reduce((a, b) => (loss(b) < loss(a) ? b : a));
    poorest.probes--;
    spent -= copies;
  }
}

/** How often each state is met: a round's state is the number of probes under the last node of the round before. */
function stationary(states: readonly (readonly OpenPlace[])[], steps: number): number[] {
  const next = states.map((places) => {
    const chances = new Array<number>(steps + 1).fill(0);
    for (const { last, probes } of places) chances[probes]! += last;
    return chances;
  });
  let shares = new Array<number>(steps + 1).fill(1 / (steps + 1));
  for (let round = 0; round < 200; round++) {
    const moved = shares.map((_, to) =>
      shares.reduce((sum, share, from) => sum + share * next[from]![to]!, 0),
    );
    // Half stays where it is: states that only take turns settle too.
    shares = shares.map((share, state) => (share + moved[state]!) / 2);
  }
  return shares;
}
