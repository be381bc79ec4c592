import type { TokenTree } from "./token-tree.ts";

/** What choosing nodes goes by. */
export interface NodeChoice {
  /** What each drafter proposed; `undefined` where nothing was asked. */
  readonly trees: readonly (TokenTree | undefined)[];
  /** Trees that are verified whole. */
  readonly isWhole: readonly boolean[];
  /** Probability that a node of a tree becomes text. */
  chanceOf(tree: number, node: number): number;
  /**
   * What a pass with so many draft nodes costs beyond one with none, in tokens that the same time would give elsewhere.
   * @param kept - Of how many nodes of each tree it is made.
   */
  price(nodes: number, kept: readonly number[]): number;
}

/**
 * How many of its first nodes each tree should keep so that the tokens to be expected, less the price of the rows, are most.
 * A node that another tree has at the same place costs nothing; two trees that disagree about the next token cannot both be right.
 */
export function chooseNodes({ trees, isWhole, chanceOf, price }: NodeChoice): number[] {
  const merged = new MergedNodes(trees);
  const kept = trees.map((tree, index) => (isWhole[index] ? (tree?.size ?? 0) : 0));
  const taken = trees.map(() => 0);
  let tokens = 0;
  const take = (index: number): void => {
    const node = ++taken[index]!;
    tokens += merged.add(index, node, chanceOf(index, node));
  };
  for (const [index, count] of kept.entries()) while (taken[index]! < count) take(index);

  let best = tokens - price(merged.size, taken);
  for (;;) {
    const next = bestNext();
    if (next === undefined) return kept;
    take(next);
    const worth = tokens - price(merged.size, taken);
    if (worth <= best) continue;
    best = worth;
    for (const [index, count] of taken.entries()) kept[index] = count;
  }

  /** The tree whose next node is likeliest; one that is there already goes first. */
  function bestNext(): number | undefined {
    let most = -1;
    let next: number | undefined;
    for (const [index, tree] of trees.entries()) {
      const node = taken[index]! + 1;
      if (tree === undefined || node > tree.size) continue;
      const gain = merged.has(index, node)
        ? Number.POSITIVE_INFINITY
        : merged.gain(index, node, chanceOf(index, node));
      if (gain > most) {
        most = gain;
        next = index;
      }
    }
    return next;
  }
}

/** More than any vocabulary has; a place times this is exact for more nodes than any pass has. */
const MOST_TOKENS = 2 ** 31;

/** Which nodes of several trees are the same, and what the trees say about the first token. */
class MergedNodes {
  readonly #trees: readonly (TokenTree | undefined)[];
  /** For each tree, where its nodes are among the merged ones. */
  readonly #places: number[][];
  /** Merged nodes by parent and token, as one number. */
  readonly #known = new Map<number, number>();
  /** For each tree and node, the part of its chance that no other tree claims for another first token. */
  readonly #free: number[][];
  /** For each tree, the chance it claims for first tokens that were its own idea. */
  readonly #claims: number[];

  constructor(trees: readonly (TokenTree | undefined)[]) {
    this.#trees = trees;
    this.#places = trees.map(() => [0]);
    this.#free = trees.map(() => [1]);
    this.#claims = trees.map(() => 0);
  }

  get size(): number {
    return this.#known.size;
  }

  has(tree: number, node: number): boolean {
    return this.#known.has(this.#key(tree, node));
  }

  /** Tokens to be expected of a new node. */
  gain(tree: number, node: number, chance: number): number {
    return chance * this.#freeOf(tree, node);
  }

  /** @returns The gain; 0 for a node that is there already. */
  add(tree: number, node: number, chance: number): number {
    const key = this.#key(tree, node);
    const known = this.#known.get(key);
    const place = known ?? this.#known.size + 1;
    const free = known === undefined ? this.#freeOf(tree, node) : 1;
    this.#places[tree]![node] = place;
    this.#free[tree]![node] = free;
    if (known !== undefined) return 0;
    this.#known.set(key, place);
    if (this.#trees[tree]!.nodes[node]!.parent === 0) this.#claims[tree]! += chance * free;
    return chance * free;
  }

  #key(tree: number, node: number): number {
    const { parent, token } = this.#trees[tree]!.nodes[node]!;
    return this.#places[tree]![parent]! * MOST_TOKENS + token;
  }

  #freeOf(tree: number, node: number): number {
    const { parent } = this.#trees[tree]!.nodes[node]!;
    if (parent !== 0) return this.#free[tree]![parent]!;
    const claimed = this.#claims.reduce((sum, claim, other) => (other === tree ? sum : sum + claim), 0);
    return Math.max(0, 1 - claimed);
  }
}
