import { checkTree } from "./check-tree.ts";
import type { Drafter, Drafting, Probe, ProposeContext, Round } from "./drafter.ts";
import { mergeTrees } from "./merge.ts";
import { asPartFailure } from "./part-failure.ts";
import type { RowInput, Session } from "./session.ts";
import { TokenTree } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";

/** Probe rows of all drafters, laid behind the tree's rows. */
export interface ProbeRows {
  readonly rows: readonly RowInput[];
  /** For each drafter, the pass rows of its probes. */
  readonly byDrafter: readonly (readonly number[])[];
}

/** Several drafters of one sequence as if they were one. */
export class DraftSet {
  readonly drafters: readonly Drafter[];
  readonly #draftings: readonly Drafting[];
  /** For each drafter whether it takes part in the round: only then it has probes. */
  #takesPart: readonly boolean[];

  constructor(drafters: readonly Drafter[], draftings: readonly Drafting[]) {
    this.drafters = drafters;
    this.#draftings = draftings;
    this.#takesPart = draftings.map(() => true);
  }

  get needsPrefix(): boolean {
    return this.#draftings.some((drafting) => drafting.needsPrefix === true);
  }

  /**
   * One merged tree; drafters with a limit of 0 are not asked.
   * @param trim - How many of its first nodes each tree keeps.
   */
  async propose(
    root: TokenId,
    limits: readonly number[],
    vocabularySize: number,
    context: ProposeContext,
    trim?: (trees: readonly (TokenTree | undefined)[]) => readonly number[],
  ): Promise<TokenTree> {
    const trees: (TokenTree | undefined)[] = this.#draftings.map(() => undefined);
    this.#takesPart = limits.map((limit) => limit >= 1);
    for (const [index, drafting] of this.#draftings.entries()) {
      const limit = limits[index] ?? 0;
      if (limit < 1) continue;
      const { name, proposal } = this.drafters[index]!;
      // Drafters that draw with the same noise would draw the same tokens, which no verifier expects. No text is decided at 0.
      const own = proposal === "sampled" ? { ...context, random: context.random.fork(0, index) } : context;
      const tree = await this.#ask(index, () => drafting.propose(root, limit, own));
      checkTree(tree, name, { root, limit, vocabularySize });
      trees[index] = tree;
    }
    const kept = trim?.(trees);
    const worthwhile = trees.flatMap((tree, index) => {
      if (tree === undefined) return [];
      const isDrawn = this.drafters[index]!.proposal === "sampled";
      const rest = kept === undefined || isDrawn ? tree : tree.first(kept[index] ?? 0);
      return rest.size > 0 ? [rest] : [];
    });
    return worthwhile.length === 0 ? new TokenTree(root) : mergeTrees(worthwhile);
  }

  /** A round of nobody: no nodes, no probes. */
  sitOut(root: TokenId): TokenTree {
    this.#takesPart = [];
    return new TokenTree(root);
  }

  /** Probe rows of the drafters that were asked last, for a tree whose rows come first in the pass. */
  async probes(
    tree: TokenTree,
    firstRow: number,
    nodeRow: (node: number) => number,
    limit: number,
  ): Promise<ProbeRows> {
    const rows: RowInput[] = [];
    const byDrafter: number[][] = [];
    for (const [index, drafting] of this.#draftings.entries()) {
      const room = limit - rows.length;
      const probes: readonly Probe[] =
        room < 1 || drafting.probes === undefined || this.#takesPart[index] !== true
          ? []
          : await this.#ask(index, () => drafting.probes!(tree, room));
      byDrafter.push(probes.slice(0, room).map((_, at) => firstRow + rows.length + at));
      for (const { node, row } of probes.slice(0, room)) {
        rows.push({ ...row, parent: node === undefined ? firstRow + rows.length - 1 : nodeRow(node) });
      }
    }
    return { rows, byDrafter };
  }

  /** Shows every drafter a round with its own probes. */
  async observe(round: Omit<Round, "probes">, byDrafter: readonly (readonly number[])[]): Promise<void> {
    for (const [index, drafting] of this.#draftings.entries()) {
      await this.#ask(index, () => drafting.observe({ ...round, probes: byDrafter[index] ?? [] }));
    }
  }

  fork(session: Session): DraftSet {
    return new DraftSet(
      this.drafters,
      this.#draftings.map((drafting) => drafting.fork(session)),
    );
  }

  truncate(length: number): void {
    for (const drafting of this.#draftings) drafting.truncate(length);
  }

  dispose(): void {
    for (const drafting of this.#draftings) drafting.dispose();
  }

  async #ask<T>(index: number, call: () => T | Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw asPartFailure(error, "Drafter", this.drafters[index]!.name);
    }
  }
}
