import type { LawState } from "./law-state.ts";
import type { Model, Requirements } from "./model.ts";
import type { Random } from "./random.ts";
import type { LayerSet, Pass, RowInput, Session } from "./session.ts";
import type { TokenTree } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";

/** What a drafter knows when a sequence starts. */
export interface DraftContext {
  readonly model: Model;
  /** The target's session; read its text, never run the target on it. Branches of it may be run. */
  readonly session: Session;
  /** Tokens at the start of the session that no `observe` will show, because they were cached before. */
  readonly missingPrefix: number;
}

/** What belongs to one proposal. */
export interface ProposeContext {
  /** Draft noise: use purpose `"draft"` only. */
  readonly random: Random;
  /** The target's law state behind the root; `law.lawOf(draftLogits, {})` warps a draft's logits as the target's are. */
  readonly law: LawState;
  /** Levels that can become text, at least 1: what is left of the answer. Deeper nodes are allowed and wasted. Default: no end in sight. */
  readonly depth?: number;
  /** The layers of the pass that verifies, all by default: a draft that runs the target itself may run no others behind its text. */
  readonly layers?: LayerSet;
  /** Ends passes that a drafter runs. */
  readonly signal?: AbortSignal;
}

/** One pass seen by a drafter, before its rows are freed. */
export interface Round {
  /** `prefill`: a chunk of the prompt, all of it text. `verify`: root, draft nodes, then probes. */
  readonly kind: "prefill" | "verify";
  readonly pass: Pass;
  /** Index in the text of row 0. */
  readonly position: number;
  /** Tokens of the pass's rows: the chunk, or the tree's nodes in order. Probe rows follow and are not counted. */
  readonly rowTokens: readonly TokenId[];
  /** Parent row of each of `rowTokens`, -1 for what follows the text. */
  readonly parents: readonly number[];
  /** Rows that become text, in order. */
  readonly committed: readonly number[];
  /** The next root; `undefined` for chunks before the last one. */
  readonly next: TokenId | undefined;
  /** Rows of this drafter's own probes, in the order it gave them. */
  readonly probes: readonly number[];
}

/** A row that is run with the draft and never becomes text. */
export interface Probe {
  /** The tree node it hangs under, or `undefined` when it hangs under the probe before it. */
  readonly node: number | undefined;
  /** What it feeds; its `parent` is set by the loop. */
  readonly row: Omit<RowInput, "parent">;
}

/** A drafter's state for one sequence. */
export interface Drafting {
  /**
   * Proposes what may follow `root`.
   *
   * @param root - The decided token that is not fed yet.
   * @param limit - Most nodes the tree may have, at least 1, known before anything is drawn.
   * @returns A tree with that root and at most `limit` nodes; none when it has no idea.
   */
  propose(root: TokenId, limit: number, context: ProposeContext): Promise<TokenTree> | TokenTree;
  /**
   * Probe rows to run with a tree, which may hold other drafters' nodes too; for the end of the prompt, a tree of the last
   * prompt token alone. Not called in rounds in which the drafter was not asked to propose.
   * @param limit - Most probe rows, and most of them in one chain.
   */
  probes?(tree: TokenTree, limit: number): readonly Probe[];
  /** Learns from a pass: every prompt chunk and every verification. */
  observe(round: Round): Promise<void> | void;
  /** Whether it cannot work without the `missingPrefix`; the loop then runs the prompt again from the start. */
  readonly needsPrefix?: boolean;
  /** An independent copy, for a branch of the session. */
  fork(session: Session): Drafting;
  /** Forgets what it learnt of the text behind `length` tokens. */
  truncate(length: number): void;
  dispose(): void;
}

/** Proposes tokens. Holds options only; state lives in {@link Drafting}. */
export interface Drafter {
  readonly name: string;
  /** Whether its trials are drawn from laws or chosen. */
  readonly proposal: "deterministic" | "sampled";
  /** The node limit that suits it when the caller sets none. */
  readonly defaultLimit: number;
  /**
   * Price of so many nodes besides their rows, in target passes of one row, for budgets; without a clock. For drawn trees that of
   * proposing them, for chosen ones that of the probes they need. Default 0: a table costs nothing.
   */
  cost?(model: Model, nodes: number): number;
  /** Asked before `prepare`, to refuse a model early, and again behind it, when what was loaded is known. */
  requirements(model: Model): Requirements;
  /** Sentences about why it cannot run on `model`; empty when it can. */
  unsupported?(model: Model): readonly string[];
  /** Loads what it needs; called before every answer, so it must be cheap when nothing is new. */
  prepare?(model: Model, options?: { readonly signal?: AbortSignal }): Promise<void>;
  start(context: DraftContext): Drafting;
}
