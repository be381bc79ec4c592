import type { DraftContext, ProposeContext, Round } from "./drafter.ts";
import type { Model, Requirements } from "./model.ts";
import type { Session } from "./session.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenTree } from "./token-tree.ts";

/** How a draft's logits become the laws a strategy draws from: as the target's, except for what is said here. */
export interface DraftWarp {
  /** At least 0, where only the most probable token is left. Default the target's temperature. */
  readonly temperature?: number;
  /**
   * The temperature instead of the target's where that is 0, at least 0. Default 0.6: a law of one token could only draft
   * chains, for which 0 is best.
   * @see Xiong et al. 2024, "DySpec", section 5.1, https://arxiv.org/abs/2410.11744
   */
  readonly greedyTemperature?: number;
  /**
   * Most tokens of a law; the target's own top-k holds as well. 0, the default, keeps all. A law of some dozen tokens costs a
   * fraction of one of the whole vocabulary, in drafting and in verifying, and changes nothing about the text's law.
   */
  readonly topK?: number;
}

/**
 * A second opinion about the next token, cheaper than the target's: what sampled drafters draw from. A smaller model, the
 * target with layers left out, a head on its hidden states. Holds options only; state lives in {@link DraftState}.
 */
export interface DraftSource {
  readonly name: string;
  /** Price of one draft pass in target passes of one row, for budgets; without a clock. Default 0.5. */
  passCost?(target: Model): number;
  /** What it needs of the target. A source that reads hidden states asks for `hidden` and `prefillHidden` here. */
  requirements(target: Model): Requirements;
  /** Sentences about why it cannot draft for `target`; empty when it can. */
  unsupported?(target: Model): readonly string[];
  /**
   * Loads what it needs; called before every answer, so it must be cheap when nothing is new.
   * @throws `VOCABULARY_MISMATCH` where it turns out that its tokens are not the target's, and what loading throws.
   */
  prepare?(target: Model, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** State for one sequence. All it keeps of the text it takes from `session` and from rounds it observes. */
  start(context: DraftContext): DraftState;
}

/**
 * A draft source's state for one sequence. In a round, a strategy begins with a tree that holds nothing but the root, and
 * in turn asks for the laws behind nodes and adds nodes drawn from them:
 *
 * ```
 * begin(tree)                expand([0])          → the law behind the root
 * tree.add(0, a, law, …)     expand([1, 2])       → the laws behind both, in one pass
 * tree.add(0, b, rest, …)    …                    observe(round) when the target has decided
 * ```
 */
export interface DraftState {
  /**
   * Starts a round and forgets the nodes of the last one. Runs nothing.
   * @param tree - Read whenever nodes are expanded; the strategy goes on adding to it. Its root is not in the session's text.
   */
  begin(tree: TokenTree, context: ProposeContext, warp?: DraftWarp): void;
  /**
   * The draft's laws of the token behind each node, in one draft pass for all of them, whatever it has to catch up on. A node
   * that was expanded before in the round costs nothing.
   *
   * @param nodes - Nodes of the tree whose parents were expanded before.
   * @returns One law for each node; `undefined` where nothing can be drafted: behind an end token, beyond the draft's
   * context, without room in the cache, or where the draft gives no possible token any mass.
   * @throws `INVALID_DRAFT` for a node whose parent was not expanded, `ABORTED`, and what running the draft throws.
   */
  expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]>;
  /**
   * Learns what the target made of a round, or of a prompt chunk. The accepted path may hold nodes of other drafters: what
   * the draft lacks of it is run with the next {@link DraftState.expand}.
   */
  observe(round: Round): Promise<void> | void;
  /** An independent copy, for a branch of the target's session. */
  fork(session: Session): DraftState;
  /** Forgets what belongs to the text behind `length` tokens. */
  truncate(length: number): void;
  dispose(): void;
}
