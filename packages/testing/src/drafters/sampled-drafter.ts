import {
  type Drafter,
  type LawState,
  mergeTrees,
  type TokenId,
  type TokenLaw,
  TokenTree,
} from "@foretoken/core";
import { textDrafter } from "./text-drafter.ts";

/** Options of {@link sampledDrafter}. */
export interface SampledDrafterOptions {
  /** The draft's probabilities `[V]` behind a text; they are warped as the target's are. */
  readonly law: (tokens: readonly TokenId[]) => ArrayLike<number>;
  /** Draws behind each node of a level; default `[2, 2]`. */
  readonly branching?: readonly number[];
  /** Whether siblings may be drawn twice. Default `false`. */
  readonly replacement?: boolean;
  /** Nothing is drafted behind these tokens. */
  readonly endTokens?: readonly TokenId[];
  /** Default `sampled`. */
  readonly name?: string;
}

/**
 * A drafter that draws from a law of its own, level by level. The number of draws is fixed before anything is drawn.
 *
 * @see Jeon et al. 2024, "Recursive Speculative Decoding", https://arxiv.org/abs/2402.14160, constant branching
 */
export function sampledDrafter({
  law,
  branching = [2, 2],
  replacement = false,
  endTokens = [],
  name = "sampled",
}: SampledDrafterOptions): Drafter {
  return textDrafter({
    name,
    proposal: "sampled",
    defaultLimit: totalNodes(branching),
    propose: (text, limit, context) => {
      const tree = new TokenTree(text.at(-1)!);
      const states: (LawState | undefined)[] = [context.law];
      let draws = 0;
      for (let node = 0; node <= tree.size && draws < limit; node++) {
        const state = states[node];
        const width = branching[tree.nodes[node]!.depth] ?? 0;
        if (state === undefined || width === 0) continue;
        const logits = Float32Array.from(law([...text, ...tree.path(node)]), Math.log);
        let rest: TokenLaw | undefined = state.lawOf(logits);
        for (let sibling = 0; sibling < width && draws < limit && rest !== undefined; sibling++) {
          const token: TokenId = rest.draw(context.random.uniform(text.length, "draft", draws++));
          const child = tree.add(node, token, rest, name);
          if (!endTokens.includes(token)) states[child] ??= state.advance(token);
          if (!replacement) rest = rest.without(token);
        }
      }
      return tree;
    },
  });
}

/** One drafter with the trees of several, merged: drawn and chosen trials behind the same nodes. */
export function mixedDrafter(parts: readonly Drafter[], name = "mixed"): Drafter {
  return {
    name,
    proposal: parts.some((part) => part.proposal === "sampled") ? "sampled" : "deterministic",
    defaultLimit: parts.reduce((sum, part) => sum + part.defaultLimit, 0),
    requirements: () => ({}),
    start: (context) => {
      const draftings = parts.map((part) => part.start(context));
      return {
        propose: async (root, limit, proposal) => {
          const share = Math.floor(limit / parts.length);
          const asked = share < 1 ? draftings.slice(0, 1) : draftings;
          return mergeTrees(
            await Promise.all(asked.map((drafting) => drafting.propose(root, Math.max(1, share), proposal))),
          );
        },
        observe: () => {},
        fork: (session) => mixedDrafter(parts, name).start({ ...context, session }),
        truncate: () => {},
        dispose: () => {},
      };
    },
  };
}

function totalNodes(branching: readonly number[]): number {
  let level = 1;
  let nodes = 0;
  for (const width of branching) {
    level *= width;
    nodes += level;
  }
  return Math.max(1, nodes);
}
