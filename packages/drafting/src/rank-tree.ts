/** A place of a {@link RankTree}: the guess of some rank behind its parent. */
export interface RankPlace {
  /** Index of the parent, always smaller than the place's own; -1 for the root. */
  readonly parent: number;
  /** Which guess it holds, 0 for the best, and for the root. */
  readonly rank: number;
  /** 0 for the root. */
  readonly depth: number;
  /** Chance that all of the path down to here becomes text. */
  readonly chance: number;
}

/** The shape of a tree. Place 0 is the root; the others stand likeliest first, so that every beginning is the best tree of its size. */
export type RankTree = readonly RankPlace[];

/** The next sibling that may become a place. */
interface Candidate extends RankPlace {
  /** How many siblings are likelier. */
  readonly turn: number;
}

/**
 * The likeliest tree of so many nodes, when ranks at different steps are right independently of each other. Guesses that were never right
 * are left out.
 *
 * @param accuracy - `[K][ranks]`: how often the guess of this rank, at step `1 … K`, is right.
 */
export function rankTree(accuracy: readonly (readonly number[])[], nodes: number): RankTree {
  // Measured shares need not fall with the rank.
  const orders = accuracy.map((shares) => [...shares.keys()].sort((a, b) => shares[b]! - shares[a]!));
  const places: RankPlace[] = [{ parent: -1, rank: 0, depth: 0, chance: 1 }];
  const candidates: Candidate[] = [];
  const offer = (parent: number, turn: number): void => {
    const { depth, chance } = places[parent]!;
    const rank = orders[depth]?.[turn];
    const share = rank === undefined ? 0 : accuracy[depth]![rank]!;
    if (share * chance > 0) {
      candidates.push({ parent, rank: rank!, depth: depth + 1, chance: chance * share, turn });
    }
  };
  offer(0, 0);
  while (places.length <= nodes && candidates.length > 0) {
    const best = candidates.reduce((a, b) => (b.chance > a.chance ? b : a));
    candidates.splice(candidates.indexOf(best), 1);
    const { turn, ...place } = best;
    places.push(place);
    offer(place.parent, turn + 1);
    offer(places.length - 1, 0);
  }
  return places;
}
