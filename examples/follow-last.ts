/** A drafter of your own: after each token it expects what followed the same token the last time. */
import {
  type Drafter,
  type Drafting,
  definePlugin,
  parseOptions,
  type Session,
  TokenTree,
} from "@foretoken/core";
import { z } from "zod";

const options = z.strictObject({
  length: z.int().min(1).default(3).describe("Most tokens to draft for one pass."),
});

/** Options in, drafter out. Holds no state: one drafter may serve many texts at once. */
export function followLast(given: z.input<typeof options> = {}): Drafter {
  const { length } = parseOptions("follow-last", options, given);
  return {
    name: "follow-last",
    proposal: "deterministic",
    defaultLimit: length,
    requirements: () => ({}),
    start: ({ session }) => followLastIn(session),
  };
}

/** The state for one text: which token followed which, as far as the text was read. */
function followLastIn(session: Session): Drafting {
  const follower = new Map<number, number>();
  let read = 1;
  return {
    propose(root, limit) {
      const { tokens } = session;
      for (; read < tokens.length; read++) follower.set(tokens[read - 1]!, tokens[read]!);
      const chain: number[] = [];
      let next = follower.get(root);
      while (next !== undefined && chain.length < limit) {
        chain.push(next);
        next = follower.get(next);
      }
      return TokenTree.chain(root, chain, "follow-last");
    },
    observe() {},
    fork: followLastIn,
    truncate() {
      follower.clear();
      read = 1;
    },
    dispose() {},
  };
}

export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "follow-last",
  summary: "Drafts what followed each token the last time.",
  guarantee: "identical",
  options,
  create: followLast,
});
export default plugin;
