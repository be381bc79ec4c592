import type { TokenId } from "@foretoken/core";
import type { SuccessorRow } from "@foretoken/drafting";

/** Options of {@link PuctSearch}. */
export interface PuctOptions {
  /** `H`: states of a simulated line, the root's included, at least 2. */
  readonly states: number;
  /** `I`: lines of a search. */
  readonly iterations: number;
  /** `c_1`. */
  readonly exploration: number;
  /** Children of a node at most. */
  readonly successors: number;
  /** Whether a line is worth the weights of its tokens, or what the published code adds up. */
  readonly backup: "corrected" | "published";
  /** Tokens behind which nothing follows. */
  readonly endTokens: ReadonlySet<TokenId>;
}

/** What may follow a token that stands behind `before`. */
export type SuccessorsOf = (before: TokenId | undefined, token: TokenId) => SuccessorRow | undefined;

/** `c_2`. */
const PRIOR_SCALE = 8;

/**
 * A tree search over a table of successors, with the score of PUCT: where weights are large and visits few, it looks again.
 *
 * A state is a token and the one before it. Every simulated line walks down the nodes by score, makes the children of the node
 * where it leaves them, and goes on by chance. Node 0 is the root; parents come before their children.
 *
 * @see Liu et al. 2024, "Adaptive Draft-Verification for Efficient LLM Decoding", https://arxiv.org/abs/2407.12021; code
 * `liuxukun2000/Adaptix`, `DraftRetriever/src/mcts_sub.rs`
 */
export class PuctSearch {
  readonly #options: PuctOptions;
  readonly #tokens: Int32Array;
  readonly #parents: Int32Array;
  /** Where a node's children begin; they stand side by side, heaviest first. */
  readonly #firstChild: Int32Array;
  readonly #childCount: Int32Array;
  readonly #visits: Int32Array;
  /** Summed worth of the lines through a node. */
  readonly #worth: Float64Array;
  readonly #priors: Float64Array;
  /** Worth of the line from the root down to the node. */
  readonly #lineWorth: Float64Array;
  #size = 0;
  #before: TokenId | undefined;

  constructor(options: PuctOptions) {
    this.#options = options;
    // Every line makes the children of one node at most.
    const most = 1 + options.iterations * options.successors;
    this.#tokens = new Int32Array(most);
    this.#parents = new Int32Array(most);
    this.#firstChild = new Int32Array(most);
    this.#childCount = new Int32Array(most);
    this.#visits = new Int32Array(most);
    this.#worth = new Float64Array(most);
    this.#priors = new Float64Array(most);
    this.#lineWorth = new Float64Array(most);
  }

  /** Nodes of the last search. */
  get size(): number {
    return this.#size;
  }

  /** A node of the last search, valid until the next one. */
  node(node: number): { readonly token: TokenId; readonly parent: number; readonly visits: number } {
    return { token: this.#tokens[node]!, parent: this.#parents[node]!, visits: this.#visits[node]! };
  }

  /** The visited nodes behind the root, most visits first, in the order they were made among equals: parents before children. */
  byVisits(): number[] {
    const visits = this.#visits;
    const nodes: number[] = [];
    for (let node = 1; node < this.#size; node++) if (visits[node]! > 0) nodes.push(node);
    return nodes.sort((a, b) => visits[b]! - visits[a]! || a - b);
  }

  /**
   * Searches behind a root.
   *
   * @param before - The token before it.
   * @param uniform - Numbers in [0, 1), one for each step by chance.
   */
  run(before: TokenId | undefined, root: TokenId, successors: SuccessorsOf, uniform: () => number): void {
    const { states, iterations } = this.#options;
    this.#before = before;
    this.#size = 0;
    this.#append(-1, root, 0, 0);
    for (let line = 0; line < iterations; line++) {
      let node = 0;
      let length = 1;
      while (length < states && this.#childCount[node]! > 0) {
        node = this.#bestChild(node);
        length++;
      }
      if (length < states && this.#expand(node, successors)) {
        node = this.#firstChild[node]!;
        length++;
      }
      const worth = 1 + this.#lineWorth[node]! + this.#goOn(node, states - length, successors, uniform);
      for (let at = node; at >= 0; at = this.#parents[at]!) {
        this.#visits[at]!++;
        this.#worth[at]! += worth;
      }
    }
  }

  #append(parent: number, token: TokenId, prior: number, lineWorth: number): void {
    const node = this.#size++;
    this.#tokens[node] = token;
    this.#parents[node] = parent;
    this.#childCount[node] = 0;
    this.#visits[node] = 0;
    this.#worth[node] = 0;
    this.#priors[node] = prior;
    this.#lineWorth[node] = lineWorth;
  }

  #rowOf(node: number, successors: SuccessorsOf): SuccessorRow | undefined {
    const token = this.#tokens[node]!;
    if (node === 0) return successors(this.#before, token);
    return this.#options.endTokens.has(token)
      ? undefined
      : successors(this.#tokens[this.#parents[node]!], token);
  }

  /** Makes all children of a node. @returns Whether there are any. */
  #expand(node: number, successors: SuccessorsOf): boolean {
    const row = this.#rowOf(node, successors);
    if (row === undefined) return false;
    const count = Math.min(row.ids.length, this.#options.successors);
    this.#firstChild[node] = this.#size;
    this.#childCount[node] = count;
    for (let rank = 0; rank < count; rank++) {
      const worth = this.#stepWorth(row, rank, this.#tokens[node]!);
      this.#append(node, row.ids[rank]!, row.weights[rank]!, this.#lineWorth[node]! + worth);
    }
    return true;
  }

  /** What a line gains by a step; the published code looks up the token that the step leaves, not the one it reaches. */
  #stepWorth({ ids, weights }: SuccessorRow, rank: number, left: TokenId): number {
    if (this.#options.backup === "corrected") return weights[rank]!;
    return weights[ids.indexOf(left)] ?? 0;
  }

  #bestChild(node: number): number {
    const visits = this.#visits[node]!;
    const weight = this.#options.exploration + Math.log((visits + PRIOR_SCALE + 1) / PRIOR_SCALE);
    const first = this.#firstChild[node]!;
    const end = first + this.#childCount[node]!;
    let best = first;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let child = first; child < end; child++) {
      const seen = this.#visits[child]!;
      if (seen === 0) return child;
      const score =
        this.#worth[child]! / seen + (weight * this.#priors[child]! * Math.sqrt(visits)) / (1 + seen);
      if (score > bestScore) {
        bestScore = score;
        best = child;
      }
    }
    return best;
  }

  /** Draws up to `steps` tokens behind a node, which make no nodes. @returns What the line gains by them. */
  #goOn(node: number, steps: number, successors: SuccessorsOf, uniform: () => number): number {
    const { endTokens } = this.#options;
    let row = steps > 0 ? this.#rowOf(node, successors) : undefined;
    let token = this.#tokens[node]!;
    let worth = 0;
    for (let step = 1; row !== undefined; step++) {
      const rank = drawRank(row, uniform());
      worth += this.#stepWorth(row, rank, token);
      const before = token;
      token = row.ids[rank]!;
      row = step < steps && !endTokens.has(token) ? successors(before, token) : undefined;
    }
    return worth;
  }
}

/** Draws a successor by weight. */
function drawRank({ weights }: SuccessorRow, uniform: number): number {
  let sum = 0;
  for (const weight of weights) sum += weight;
  let rest = uniform * sum;
  for (let rank = 0; rank < weights.length - 1; rank++) {
    rest -= weights[rank]!;
    if (rest < 0) return rank;
  }
  return weights.length - 1;
}
