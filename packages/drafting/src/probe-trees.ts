import { DecodingError } from "@foretoken/core";

/** A place of a {@link ProbeTree}. */
export interface ProbePlace {
  /** Index of the parent, always smaller than the place's own; -1 for the root. */
  readonly parent: number;
  /** Which guess of its depth it holds, 0 for the best. */
  readonly rank: number;
  /** 0 for the root. */
  readonly depth: number;
  /** Chance that all of the path down to here becomes text. */
  readonly chance: number;
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
  return treesOf(likeliestPaths(accuracy), nodes, options);
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
  const paths = likeliestPaths(accuracy);
  let counts = accuracy.map(() => Math.ceil(options.rows / 2));
  let best = treesOf(paths, counts, options);
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (let state = 0; state < counts.length; state++) {
      for (let count = 1; count <= options.rows; count++) {
        const tried = counts.with(state, count);
        const trees = treesOf(paths, tried, options);
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

/** A path of ranks, with the chance that it becomes text. */
interface RankPath {
  readonly ranks: readonly number[];
  readonly chance: number;
}

/** For each number of guesses `1 … n`, all paths that deep at most, likeliest first; a path stands behind its own beginning. */
function likeliestPaths(accuracy: readonly (readonly number[])[]): readonly (readonly RankPath[])[] {
  const wrong = accuracy.flat().find((share) => !(share >= 0 && share <= 1));
  if (wrong !== undefined || accuracy.length === 0) {
    throw new DecodingError("INVALID_OPTION", {
      message: `The accuracy of probes is ${wrong === undefined ? "given for no step" : wrong}.`,
      fix: "Give for every step the share of places where each rank is right, from 0 to 1.",
    });
  }
  const levels: RankPath[][] = [[{ ranks: [], chance: 1 }]];
  for (const shares of accuracy) {
    levels.push(
      levels.at(-1)!.flatMap(({ ranks, chance }) =>
        shares.flatMap((share, rank) => {
          return share * chance === 0 ? [] : [{ ranks: [...ranks, rank], chance: chance * share }];
        }),
      ),
    );
  }
  return accuracy.map((_, step) =>
    levels
      .slice(1, step + 2)
      .flat()
      .sort((a, b) => b.chance - a.chance || a.ranks.length - b.ranks.length),
  );
}

/** A place whose probes are not settled yet. */
interface OpenPlace extends Omit<ProbePlace, "probes"> {
  /** Chance that it is the last node accepted. */
  readonly last: number;
  probes: number;
}

function treesOf(
  paths: readonly (readonly RankPath[])[],
  nodes: readonly number[],
  { rows, copies = 1, least = 0 }: ProbeTreeOptions,
): ProbeTrees {
  const steps = paths.length;
  const open = paths.map((ofState, index) => placesOf(ofState.slice(0, nodes[index]), steps));
  const gains = [0, ...open.map((places) => expected(places))];
  for (const places of open) spendRows(places, { rows, copies, least, gains });
  const root: OpenPlace = { parent: -1, rank: 0, depth: 0, chance: 1, last: 1, probes: steps };
  const states = [[root], ...open];
  const shares = stationary(states, steps);
  const tokens = 1 + shares.reduce((sum, share, state) => sum + share * gains[state]!, 0);
  return {
    states: states.map((places) => places.map(({ last: _, ...place }) => place)),
    shares,
    tokens,
  };
}

function placesOf(paths: readonly RankPath[], steps: number): OpenPlace[] {
  const indices = new Map(["", ...paths.map(({ ranks }) => ranks.join())].map((key, index) => [key, index]));
  const last = [1, ...paths.map(({ chance }) => chance)];
  const parents = paths.map(({ ranks }) => indices.get(ranks.slice(0, -1).join())!);
  parents.forEach((parent, index) => {
    last[parent]! -= paths[index]!.chance;
  });
  return [
    { parent: -1, rank: 0, depth: 0, chance: 1, last: last[0]!, probes: steps },
    ...paths.map(({ ranks, chance }, index) => ({
      parent: parents[index]!,
      rank: ranks.at(-1)!,
      depth: ranks.length,
      chance,
      last: last[index + 1]!,
      probes: steps,
    })),
  ];
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
