import { DecodingError } from "./errors.ts";
import type { TokenTree } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";

/** What a proposed tree must keep to. */
export interface TreeLimits {
  readonly root: TokenId;
  readonly limit: number;
  readonly vocabularySize: number;
}

/**
 * Checks what a drafter proposed, so that the loop can trust it.
 * @throws `INVALID_DRAFT` naming the drafter and the fault.
 */
export function checkTree(
  tree: TokenTree,
  source: string,
  { root, limit, vocabularySize }: TreeLimits,
): void {
  const refuse = (fault: string): never => {
    throw new DecodingError("INVALID_DRAFT", {
      message: `Drafter ${source} proposed ${fault}.`,
      fix: "This is a fault of the drafter: report it to its author, or leave it out.",
    });
  };
  const nodes = tree?.nodes;
  if (!Array.isArray(nodes) || nodes.length === 0) refuse("no tree");
  if (nodes[0]!.token !== root) refuse(`a tree with root ${nodes[0]!.token} where the root is ${root}`);
  if (nodes.length - 1 > limit) refuse(`${nodes.length - 1} nodes where the limit is ${limit}`);
  nodes.forEach((node, index) => {
    if (!Number.isInteger(node.token) || node.token < 0 || node.token >= vocabularySize) {
      refuse(`token ${node.token}, outside the vocabulary of ${vocabularySize}`);
    }
    if (index > 0 && !(node.parent >= 0 && node.parent < index)) {
      refuse(`node ${index} with parent ${node.parent}, which does not come before it`);
    }
    if (index > 0 && !nodes[node.parent]!.trials.some((trial) => trial.child === index)) {
      refuse(`node ${index} that no trial of its parent leads to`);
    }
    if (node.chance !== undefined && !(node.chance >= 0 && node.chance <= 1 + 1e-6)) {
      refuse(`node ${index} with the chance ${node.chance}`);
    }
    for (const { child, token, proposal } of node.trials) {
      if (nodes[child]?.parent !== index || nodes[child]!.token !== token) {
        refuse(`a trial of node ${index} with token ${token} that leads to node ${child}`);
      }
      if (proposal !== "point") {
        const probability = proposal.probability(token);
        if (!(probability > 0 && probability <= 1 + 1e-9)) {
          refuse(`token ${token} drawn from a law that gives it probability ${probability}`);
        }
      }
    }
  });
}
