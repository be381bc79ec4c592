/** A place of a {@link RankTree}: the guess of some rank behind its parent. */
export interface RankPlace {
  /** Index of the parent, always smaller than the place's own; -1 for the root. */
  readonly parent: number;
  /** 0 for the best guess. */
  readonly rank: number;
  /** 0 for the root. */
  readonly depth: number;
  /** Chance that all of the path down to here becomes text. */
  readonly chance: number;
}

/** The shape of a tree. Place 0 is the root; the others stand likeliest first, so that every beginning is the best tree of its size. */
export type RankTree = readonly RankPlace[];

/**
 * The likeliest tree of so many nodes, when ranks at different steps are right independently of each other.
 *
 * @param accuracy - `[K][ranks]`: how often the guess of this rank, at step `1 … K`, is right.
 */
export function rankTree(accuracy: readonly (readonly number[])[], nodes: number): RankTree {
  const places: RankPlace[] = [{ parent: -1, rank: -1, depth: 0, chance: 1 }];
  const candidates: RankPlace[] = [];
  const offer = (parent: number, rank: number): void => {
    const { depth, chance } = places[parent];
    const share = accuracy[depth]?.[rank];
    if (share) candidates.push({ parent, rank, depth: depth + 1, chance: chance * share });
  };
  offer(0, 0);
  while (places.length <= nodes && candidates.length > 0) {
    const best = candidates.reduce((a, b) => (b.chance > a.chance ? b : a));
    candidates.splice(candidates.indexOf(best), 1);
    places.push(best);
    offer(best.parent, best.rank + 1);
    offer(places.length - 1, 0);
  }
  return places;
}
