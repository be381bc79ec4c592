import { type Drafter, type ErrorCode, type TokenId, type TokenLaw, TokenTree } from "@foretoken/core";

/** What a faulty drafter does, and the code a decoder must answer with. */
export const draftFaults = {
  throws: "PART_FAILED",
  "throws in observe": "PART_FAILED",
  "gives no tree": "INVALID_DRAFT",
  "gives a tree with another root": "INVALID_DRAFT",
  "gives a cycle": "INVALID_DRAFT",
  "gives a foreign token": "INVALID_DRAFT",
  "gives NaN probabilities": "INVALID_DRAFT",
  "gives more nodes than the limit": "INVALID_DRAFT",
} as const satisfies Record<string, ErrorCode>;

/** A name in {@link draftFaults}. */
export type DraftFault = keyof typeof draftFaults;

/** Options of {@link faultyDrafter}. */
export interface FaultyDrafterOptions {
  readonly fault: DraftFault;
  /** The proposal, counted from 1 over the drafter's life, that is faulty; default 1. Observing counts apart. */
  readonly at?: number;
}

/** A drafter that repeats the root once, until it does something a drafter must not do. */
export function faultyDrafter({ fault, at = 1 }: FaultyDrafterOptions): Drafter {
  const name = "faulty";
  let proposals = 0;
  let observations = 0;
  const start: Drafter["start"] = () => ({
    propose: (root, limit) => {
      if (++proposals !== at) return TokenTree.chain(root, [root], name);
      switch (fault) {
        case "throws":
          throw new Error("the drafter is broken");
        case "gives no tree":
          return undefined as unknown as TokenTree;
        case "gives a tree with another root":
          return TokenTree.chain(root === 0 ? 1 : root - 1, [root], name);
        case "gives a cycle":
          return cycle(root);
        case "gives a foreign token":
          return TokenTree.chain(root, [1_000_000_000], name);
        case "gives NaN probabilities":
          return withProposal(root, { probability: () => Number.NaN } as unknown as TokenLaw, name);
        case "gives more nodes than the limit":
          return TokenTree.chain(root, new Array<TokenId>(limit + 1).fill(root), name);
        default:
          return TokenTree.chain(root, [root], name);
      }
    },
    observe: () => {
      if (fault === "throws in observe" && ++observations === at) throw new Error("the drafter is broken");
    },
    fork: () => start(undefined as never),
    truncate: () => {},
    dispose: () => {},
  });
  return { name, proposal: "deterministic", defaultLimit: 4, requirements: () => ({}), start };
}

/** Two nodes, each the other's parent. */
function cycle(root: TokenId): TokenTree {
  const trial = (child: number) => ({ token: root, child, proposal: "point" as const, source: "faulty" });
  const node = (parent: number, child: number) => ({
    token: root,
    parent,
    depth: 1,
    trials: [trial(child)],
    sources: ["faulty"],
  });
  return { size: 2, nodes: [{ ...node(-1, 1), depth: 0 }, node(2, 2), node(1, 1)] } as unknown as TokenTree;
}

function withProposal(root: TokenId, proposal: TokenLaw, name: string): TokenTree {
  const tree = new TokenTree(root);
  tree.add(0, root, proposal, name);
  return tree;
}
