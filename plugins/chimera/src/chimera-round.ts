import {
  DecodingError,
  type DraftWarp,
  type LawState,
  type PendingRow,
  type ProposeContext,
  type RowInput,
  type Session,
  type TokenId,
  type TokenLaw,
  type TokenTree,
} from "@foretoken/core";
import { draftLaw, orNoDraft, type TargetStates, wholeVocabulary } from "@foretoken/drafting";
import { contextRow, queryRow } from "./chimera-graph.ts";
import type { Network } from "./network.ts";

/** What one round runs on. */
export interface ChimeraRoundOptions {
  readonly network: Network;
  /** The network's session; its text is the beginning of `text`. */
  readonly session: Session;
  /** The target's text, without the root. */
  readonly text: readonly TokenId[];
  /** The target's states of the text. */
  readonly states: TargetStates;
  readonly tree: TokenTree;
  readonly context: ProposeContext;
  readonly warp?: DraftWarp;
  /** Nothing is drafted behind these. */
  readonly endTokens: ReadonlySet<TokenId>;
}

/** Rows of the text that are run in one pass; there may be an abort between two. */
const CHUNK = 128;

/**
 * The nodes of one round as rows of the network. A node that is expanded is a query row, which no other row sees. When its children are
 * expanded, the state it gave enters as a context row, in the same pass:
 *
 * ```
 * pass 1   text rows it lacked (become text) ─── query: root                        gives F(root)
 * pass 2   … ─── context: F(root) ─┬─ query: a                                      gives F(a), F(b)
 *                                  └─ query: b
 * pass 3   … ─── F(root) ─── context: F(a) ─── query: c, a child of a
 * ```
 */
export class ChimeraRound {
  readonly #options: ChimeraRoundOptions;
  /** The network's states of nodes that were expanded, `[D]`. */
  readonly #ownStates = new Map<number, Float32Array>();
  /** Context rows of nodes; pending until the round ends. */
  readonly #contexts = new Map<number, PendingRow>();
  readonly #lawStates = new Map<number, LawState>();
  readonly #laws = new Map<number, TokenLaw | undefined>();

  constructor(options: ChimeraRoundOptions) {
    this.#options = options;
  }

  /** As `DraftState.expand`. */
  async expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]> {
    const runnable: number[] = [];
    for (const node of new Set(nodes)) {
      if (this.#laws.has(node)) continue;
      this.#laws.set(node, undefined);
      if (this.#isEnd(node)) continue;
      this.#lawStates.set(node, this.#lawStateBehind(node));
      runnable.push(node);
    }
    if (runnable.length > 0) await orNoDraft(() => this.#run(runnable));
    return nodes.map((node) => this.#laws.get(node));
  }

  /** Whether nothing can be drafted behind a node: it ends the answer, or the network has no head, no position or no state for it. */
  #isEnd(node: number): boolean {
    const { network, session, text, states, tree, endTokens } = this.#options;
    const { token, depth } = tree.nodes[node];
    return (
      depth >= network.steps ||
      text.length + depth >= session.model.contextLength ||
      states.at(text.length - 1) === undefined ||
      (node !== 0 && endTokens.has(token))
    );
  }

  #lawStateBehind(node: number): LawState {
    const { tree, context } = this.#options;
    if (node === 0) return context.law;
    const { token, parent } = tree.nodes[node];
    if (this.#ownStates.has(parent)) return this.#lawStates.get(parent)!.advance(token);
    throw new DecodingError("INVALID_DRAFT", {
      message: `The draft was asked for the law behind node ${node}, but not behind its parent ${parent} before.`,
      fix: "Expand a node before its children.",
    });
  }

  async #run(nodes: readonly number[]): Promise<void> {
    const { network, session, text, tree, context, warp } = this.#options;
    while (text.length - session.tokens.length > CHUNK) {
      const pass = await session.forward(this.#textRows(CHUNK), { signal: context.signal });
      session.commit(pass.rows);
    }
    const textRows = this.#textRows(CHUNK);
    const opened = this.#parentsWithoutContext(nodes);
    const contextRows = opened.map((node) =>
      contextRow(
        tree.nodes[node].token,
        this.#contexts.get(tree.nodes[node].parent) ?? -1,
        this.#ownStates.get(node),
      ),
    );
    const queries = nodes.map((node) => {
      const { parent } = tree.nodes[node];
      if (node === 0) return this.#query(node, textRows.length - 1);
      return this.#query(node, this.#contexts.get(parent) ?? textRows.length + opened.indexOf(parent));
    });
    const firstQuery = textRows.length + contextRows.length;
    const pass = await session.forward([...textRows, ...contextRows, ...queries], {
      logits: nodes.map((_, index) => firstQuery + index),
      hidden: ["final"],
      signal: context.signal,
    });
    opened.forEach((node, index) => {
      this.#contexts.set(node, pass.rows[textRows.length + index]);
    });
    const states = pass.hidden("final");
    const [, width] = states.shape;
    const values = await states.read();
    for (const [index, node] of nodes.entries()) {
      const row = firstQuery + index;
      this.#ownStates.set(node, values.slice(row * width, (row + 1) * width));
      const logits = wholeVocabulary(await pass.logits(row), network.vocabulary, network.vocabularySize);
      this.#laws.set(node, draftLaw(this.#lawStates.get(node)!, logits, warp));
    }
    session.commit(pass.rows.slice(0, textRows.length), { keep: [...this.#contexts.values()] });
  }

  /** Rows of the text that the network lacks, at most so many. */
  #textRows(most: number): readonly RowInput[] {
    const { session, text, states } = this.#options;
    const from = session.tokens.length;
    return text
      .slice(from, from + most)
      .map((token, index) => contextRow(token, index - 1, states.at(from + index)));
  }

  /** Parents of nodes whose states have not entered as rows, each once. */
  #parentsWithoutContext(nodes: readonly number[]): readonly number[] {
    const parents = nodes.map((node) => this.#options.tree.nodes[node].parent);
    return [...new Set(parents)].filter((parent) => parent >= 0 && !this.#contexts.has(parent));
  }

  #query(node: number, parent: RowInput["parent"]): RowInput {
    const { network, text, states, tree } = this.#options;
    const { token, depth } = tree.nodes[node];
    const before = [...text.slice(-2), tree.nodes[0].token, ...tree.path(node)].slice(0, -1);
    // The second token of a text has no two tokens before it: it stands for one of them itself.
    const [oldest, middle] = before.length === 1 ? [before[0], token] : before.slice(-2);
    return queryRow(token, parent, {
      step: depth + 1,
      oldest: network.embeddingOf(oldest),
      middle: network.embeddingOf(middle),
      last: states.at(text.length - 1)!,
    });
  }
}
