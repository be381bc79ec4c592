import {
  DecodingError,
  type DraftContext,
  type DraftSource,
  type DraftState,
  hasCode,
  type LawState,
  type Session,
  type TokenId,
  type TokenLaw,
} from "@foretoken/core";

/** Options of {@link scriptedSource}. */
export interface ScriptedSourceOptions {
  /** The draft's probabilities `[V]` behind a text; they are warped as the strategy asks. */
  readonly law: (tokens: readonly TokenId[]) => ArrayLike<number>;
  /** Most positions of a text it can draft behind. Default no limit. */
  readonly contextLength?: number;
  /** Default `scripted-source`. */
  readonly name?: string;
}

/** A draft source whose law is written down. */
export interface ScriptedSource extends DraftSource {
  /** What it did for all sequences together. */
  readonly counts: {
    /** Calls to `expand` that needed a law that was not known yet. */
    passes: number;
    /** Laws made. */
    rows: number;
    /** States started or forked and not disposed. */
    live: number;
  };
}

/**
 * A draft source whose law is a function of the text: a second script over the target's tokens. Holds strategies to the
 * contract: parents are expanded before their children, in a round that was begun.
 */
export function scriptedSource({
  law,
  contextLength = Number.POSITIVE_INFINITY,
  name = "scripted-source",
}: ScriptedSourceOptions): ScriptedSource {
  const counts = { passes: 0, rows: 0, live: 0 };
  const stateOn = (session: Session, endTokens: ReadonlySet<TokenId>): DraftState => {
    let round: Parameters<DraftState["begin"]> | undefined;
    let states = new Map<number, LawState>();
    let laws = new Map<number, TokenLaw | undefined>();
    counts.live++;

    const lawBehind = (node: number): TokenLaw | undefined => {
      const [tree, context, warp] = round!;
      const { token, parent } = tree.nodes[node]!;
      const above = node === 0 ? undefined : states.get(parent);
      if (node !== 0 && above === undefined) {
        throw new DecodingError("INVALID_DRAFT", {
          message: `The law behind node ${node} was asked for before that behind its parent ${parent}.`,
          fix: "Expand a node before its children.",
        });
      }
      const text = [...session.tokens, tree.nodes[0]!.token, ...tree.path(node)];
      if ((node !== 0 && endTokens.has(token)) || text.length > contextLength) return undefined;
      const state = above?.advance(token) ?? context.law;
      states.set(node, state);
      counts.rows++;
      try {
        return state.lawOf(Float32Array.from(law(text), Math.log), warp ?? {});
      } catch (error) {
        if (hasCode(error, "EMPTY_LAW")) return undefined;
        throw error;
      }
    };

    return {
      begin: (...given) => {
        round = given;
        states = new Map();
        laws = new Map();
      },
      expand: async (nodes) => {
        if (round === undefined) {
          throw new DecodingError("INVALID_DRAFT", {
            message: "Nodes were expanded before a round began.",
            fix: "Call begin(tree, context) first, in every round.",
          });
        }
        if (nodes.some((node) => !laws.has(node))) counts.passes++;
        for (const node of nodes) if (!laws.has(node)) laws.set(node, lawBehind(node));
        return nodes.map((node) => laws.get(node));
      },
      observe: () => {
        round = undefined;
      },
      fork: (branch) => stateOn(branch, endTokens),
      truncate: () => {},
      dispose: () => {
        counts.live--;
      },
    };
  };
  return {
    name,
    counts,
    requirements: () => ({}),
    start: ({ session, model }: DraftContext) => stateOn(session, new Set(model.tokenizer?.endTokens)),
  };
}
