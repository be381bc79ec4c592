import type {
  Drafter,
  Drafting,
  DraftSource,
  DraftState,
  DraftWarp,
  ProposeContext,
  Session,
  TokenId,
  TokenLaw,
} from "@foretoken/core";
import { TokenTree } from "@foretoken/core";

/** A tree in the making, and what it is drawn from. */
export interface Growth {
  /** The drafter's name, for its trials. */
  readonly name: string;
  /** Holds the root alone at first. */
  readonly tree: TokenTree;
  /** Most nodes the tree may have, at least 1. */
  readonly limit: number;
  /** The draft's laws behind nodes, in one draft pass; `undefined` where nothing can be drafted. As {@link DraftState.expand}. */
  expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]>;
  /** A fresh number in [0, 1) of this round, another one with every call. */
  uniform(): number;
}

/** Options of {@link sourceDrafter}. */
export interface SourceDrafterOptions {
  readonly name: string;
  readonly source: DraftSource;
  /** The node limit that suits it. */
  readonly defaultLimit: number;
  /** Draft passes that a tree of so many nodes takes. */
  passes(nodes: number): number;
  /** How the source's logits become laws. */
  readonly warp?: DraftWarp;
  /**
   * The strategy: draws from laws and adds what it drew with `tree.add(node, token, law, name)`, siblings in drawing order,
   * each with the very law it was drawn from.
   */
  grow(growth: Growth): Promise<void>;
}

/** Assumed price of a draft pass, in target passes. */
const UNKNOWN_COST = 0.5;

/** A sampled drafter that grows its trees from a draft source: all a strategy has to say is how. */
export function sourceDrafter(options: SourceDrafterOptions): Drafter {
  const { name, source, defaultLimit, passes } = options;
  return {
    name,
    proposal: "sampled",
    defaultLimit,
    cost: (model, nodes) => passes(nodes) * (source.passCost?.(model) ?? UNKNOWN_COST),
    requirements: (model) => source.requirements(model),
    unsupported: (model) => source.unsupported?.(model) ?? [],
    prepare: async (model, prepareOptions) => source.prepare?.(model, prepareOptions),
    start: (context) => new SourceDrafting(options, context.session, source.start(context)),
  };
}

class SourceDrafting implements Drafting {
  readonly #options: SourceDrafterOptions;
  readonly #session: Session;
  readonly #state: DraftState;

  constructor(options: SourceDrafterOptions, session: Session, state: DraftState) {
    this.#options = options;
    this.#session = session;
    this.#state = state;
  }

  async propose(root: TokenId, limit: number, context: ProposeContext): Promise<TokenTree> {
    const { name, warp, grow } = this.#options;
    const tree = new TokenTree(root);
    // Keyed by the place behind the root, which no two rounds share.
    const position = this.#session.tokens.length + 1;
    let drawn = 0;
    const { depth = Number.POSITIVE_INFINITY } = context;
    this.#state.begin(tree, context, warp);
    await grow({
      name,
      tree,
      limit,
      expand: (nodes) => this.#expandAbove(depth, tree, nodes),
      uniform: () => context.random.uniform(position, "draft", drawn++),
    });
    return tree;
  }

  /** Nodes of a level all reach the end of the answer at once, save in trees that grow node by node. */
  async #expandAbove(depth: number, tree: TokenTree, nodes: readonly number[]) {
    const open = nodes.filter((node) => tree.nodes[node].depth < depth);
    const laws = open.length === 0 ? [] : await this.#state.expand(open);
    return nodes.map((node) => laws[open.indexOf(node)]);
  }

  observe(round: Parameters<Drafting["observe"]>[0]): Promise<void> | void {
    return this.#state.observe(round);
  }

  fork(session: Session): Drafting {
    return new SourceDrafting(this.#options, session, this.#state.fork(session));
  }

  truncate(length: number): void {
    this.#state.truncate(length);
  }

  dispose(): void {
    this.#state.dispose();
  }
}
