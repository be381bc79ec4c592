import type { TokenTree } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";

/** A tree that is so many trees old counts half. */
const HALF_LIFE = 24;
const DECAY = 0.5 ** (1 / HALF_LIFE);
/** How many trees the assumption about a chosen tree counts for, and about a drawn one, which costs something to try. */
const PRIOR_TREES = 4;
const PRIOR_DRAWN_TREES = 1.5;
/** Assumed chance of the first node of a drafter that has no estimate of its own; the n-th gets an n-th of it. */
const PRIOR_CHANCE = 0.2;
/** Places of a tree that are told apart; the last one stands for all behind it. */
const PLACES = 64;
/** Estimates that are told apart: those of a tenth each. */
const TENTHS = 10;

/** A tree whose text is not written yet. */
interface OpenTree {
  readonly tree: TokenTree;
  /** Nodes that became text so far, in order. */
  readonly path: number[];
}

/**
 * How often the nodes of one drafter's trees became text: by the drafter's own estimate where it has one, else by their place
 * in the tree. A tree is judged by the text that comes, as far as it followed the tree, whether it was verified or not. So a
 * drafter whose nodes are not worth a row is still known, and is back when they are.
 */
export class AcceptanceRecord {
  readonly #became: Float64Array;
  readonly #seen: Float64Array;
  #open: OpenTree[];

  constructor(
    became = new Float64Array(PLACES + TENTHS),
    seen = new Float64Array(PLACES + TENTHS),
    open: OpenTree[] = [],
  ) {
    this.#became = became;
    this.#seen = seen;
    this.#open = open;
  }

  /** Probability that a node becomes text. */
  chanceOf(tree: TokenTree, node: number): number {
    const { chance } = tree.nodes[node]!;
    return this.#share(kindOf(node, chance), chance ?? PRIOR_CHANCE / node, PRIOR_TREES);
  }

  /**
   * The same of a node of a tree that is not drawn yet.
   * @param place - From 1.
   * @param prior - What to assume while little is known.
   */
  chanceAt(place: number, prior: number): number {
    return this.#share(kindOf(place, undefined), prior, PRIOR_DRAWN_TREES);
  }

  /** Takes in a tree whose root is the newest token. */
  drafted(tree: TokenTree): void {
    if (tree.size > 0) this.#open.push({ tree, path: [] });
  }

  /** Takes in what became text behind the newest token. */
  wrote(tokens: readonly TokenId[]): void {
    for (const token of tokens) this.#open = this.#open.filter((open) => this.#follows(open, token));
  }

  /** Lets what was seen count for no more than so many trees. */
  shorten(trees: number): void {
    for (const [kind, seen] of this.#seen.entries()) {
      if (seen <= trees) continue;
      this.#became[kind]! *= trees / seen;
      this.#seen[kind] = trees;
    }
  }

  /** Forgets the trees that wait for their text. */
  forgetOpen(): void {
    this.#open = [];
  }

  fork(): AcceptanceRecord {
    const open = this.#open.map(({ tree, path }) => ({ tree, path: [...path] }));
    return new AcceptanceRecord(this.#became.slice(), this.#seen.slice(), open);
  }

  #share(kind: number, prior: number, weight: number): number {
    return (this.#became[kind]! + weight * prior) / (this.#seen[kind]! + weight);
  }

  /** @returns Whether more text can tell more about the tree. */
  #follows({ tree, path }: OpenTree, token: TokenId): boolean {
    const child = tree.child(path.at(-1) ?? 0, token);
    if (child !== undefined) path.push(child);
    if (child !== undefined && tree.nodes[child]!.trials.length > 0) return true;
    this.#judge(tree, new Set(path));
    return false;
  }

  #judge(tree: TokenTree, became: ReadonlySet<number>): void {
    for (let kind = 0; kind < this.#seen.length; kind++) {
      this.#became[kind]! *= DECAY;
      this.#seen[kind]! *= DECAY;
    }
    for (let node = 1; node <= tree.size; node++) {
      const kind = kindOf(node, tree.nodes[node]!.chance);
      this.#seen[kind]! += 1;
      if (became.has(node)) this.#became[kind]! += 1;
    }
  }
}

function kindOf(place: number, chance: number | undefined): number {
  if (chance === undefined) return Math.min(place, PLACES) - 1;
  return PLACES + Math.min(TENTHS - 1, Math.floor(chance * TENTHS));
}
