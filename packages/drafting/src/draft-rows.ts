import {
  DecodingError,
  type DraftWarp,
  type LawState,
  type LayerSet,
  type PendingRow,
  type ProposeContext,
  type Round,
  type RowInput,
  type Session,
  type TokenId,
  type TokenLaw,
  type TokenTree,
} from "@foretoken/core";
import { draftLaw, orNoDraft } from "./draft-law.ts";

/** What one round of a draft runs on. */
export interface DraftRowsOptions {
  /** The draft's session; its text is the beginning of the target's text. */
  readonly session: Session;
  /** What its text lacks of the target's. */
  readonly missing: readonly TokenId[];
  readonly tree: TokenTree;
  readonly context: ProposeContext;
  readonly warp?: DraftWarp;
  /** The layers of the draft's passes; all by default. */
  readonly layers?: LayerSet;
  /** Nothing is drafted behind these. */
  readonly endTokens?: ReadonlySet<TokenId>;
}

/** A node that may be run: what comes before it was. */
interface Runnable {
  readonly node: number;
  readonly state: LawState;
}

/** Rows of the text that are run in one pass; there may be an abort between two. */
const CHUNK = 128;

/**
 * The nodes of one round as rows of a draft's session: what sources that run a language model have in common.
 *
 * Rows stay pending until the target has decided. {@link DraftRows.accepted} then says which of them became text.
 */
export class DraftRows {
  readonly #options: DraftRowsOptions;
  #missing: readonly TokenId[];
  readonly #rows = new Map<number, PendingRow>();
  readonly #states = new Map<number, LawState>();
  readonly #laws = new Map<number, TokenLaw | undefined>();

  constructor(options: DraftRowsOptions) {
    this.#options = options;
    this.#missing = options.missing;
  }

  /** As `DraftState.expand`. */
  async expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]> {
    const runnable: Runnable[] = [];
    for (const node of new Set(nodes)) {
      if (this.#laws.has(node)) continue;
      this.#laws.set(node, undefined);
      if (this.#isEnd(node)) continue;
      const state = this.#stateBehind(node);
      this.#states.set(node, state);
      runnable.push({ node, state });
    }
    if (runnable.length > 0) await orNoDraft(() => this.#run(runnable));
    return nodes.map((node) => this.#laws.get(node));
  }

  /** The rows that became text, in order; fewer than the round committed where others drafted or nothing was expanded. */
  accepted({ rowTokens, committed }: Round): readonly PendingRow[] {
    const path: PendingRow[] = [];
    let node: number | undefined;
    for (const row of committed) {
      node = node === undefined ? 0 : this.#options.tree.child(node, rowTokens[row]);
      const run = node === undefined ? undefined : this.#rows.get(node);
      if (run === undefined) break;
      path.push(run);
    }
    return path;
  }

  /** Whether nothing can be drafted behind a node: it ends the answer, or the draft has no position for it. */
  #isEnd(node: number): boolean {
    const { tree, session, endTokens } = this.#options;
    const { token, depth } = tree.nodes[node];
    const position = session.tokens.length + this.#missing.length + depth;
    return position >= session.model.contextLength || (node !== 0 && endTokens?.has(token) === true);
  }

  /** The law state behind a node. */
  #stateBehind(node: number): LawState {
    const { tree, context } = this.#options;
    if (node === 0) return context.law;
    const { token, parent } = tree.nodes[node];
    if (this.#rows.has(parent)) return this.#states.get(parent)!.advance(token);
    throw new DecodingError("INVALID_DRAFT", {
      message: `The draft was asked for the law behind node ${node}, but not behind its parent ${parent} before.`,
      fix: "Expand a node before its children.",
    });
  }

  async #run(runnable: readonly Runnable[]): Promise<void> {
    const { session, tree, layers, context, warp } = this.#options;
    while (this.#missing.length > CHUNK) await this.#catchUp();
    const missing = this.#missing;
    const rows: RowInput[] = [
      ...missing.map((token, index) => ({ token, parent: index - 1 })),
      ...runnable.map(({ node }) => ({
        token: tree.nodes[node].token,
        parent: node === 0 ? missing.length - 1 : this.#rows.get(tree.nodes[node].parent),
      })),
    ];
    const pass = await session.forward(rows, {
      logits: runnable.map((_, index) => missing.length + index),
      layers,
      signal: context.signal,
    });
    for (const [index, { node, state }] of runnable.entries()) {
      const row = missing.length + index;
      this.#rows.set(node, pass.rows[row]);
      this.#laws.set(node, draftLaw(state, await pass.logits(row), warp));
    }
    if (missing.length === 0) return;
    session.commit(pass.rows.slice(0, missing.length), { keep: pass.rows.slice(missing.length) });
    this.#missing = [];
  }

  /** Runs the next piece of the text that the draft lacks. */
  async #catchUp(): Promise<void> {
    const { session, layers, context } = this.#options;
    const tokens = this.#missing.slice(0, CHUNK);
    const pass = await session.forward(
      tokens.map((token) => ({ token })),
      { layers, signal: context.signal },
    );
    session.commit(pass.rows);
    this.#missing = this.#missing.slice(CHUNK);
  }
}
