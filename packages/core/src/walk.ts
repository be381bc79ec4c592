import type { FinishReason } from "./decoder.ts";
import { DecodingError } from "./errors.ts";
import type { LawState, TokenLogProbability } from "./law-state.ts";
import type { Random } from "./random.ts";
import type { HiddenSite, Pass } from "./session.ts";
import type { StopState } from "./stop.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenTree } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";
import type { Verification } from "./verifier.ts";

/** What a walk needs. Row `i` of the pass is node `i` of the tree. */
export interface WalkInput {
  readonly tree: TokenTree;
  readonly pass: Pass;
  /** Index in the text of the root. */
  readonly position: number;
  /** Law and stop state behind the root. */
  readonly law: LawState;
  readonly stop: StopState;
  readonly random: Random;
  readonly verification: Verification;
  readonly verifierName: string;
  readonly logProbabilities?: number;
}

/** What the verifier decided. */
export interface WalkResult {
  /** At least one token; the last one has no row in the cache yet. */
  readonly tokens: readonly TokenId[];
  /** Accepted nodes, in order; as long as `tokens`, or one shorter. */
  readonly path: readonly number[];
  readonly logProbabilities: readonly TokenLogProbability[] | undefined;
  readonly finish: FinishReason | undefined;
  /** States behind the last token; the law is not advanced behind the end of an answer. */
  readonly law: LawState;
  readonly stop: StopState;
}

/**
 * Walks a verified tree from the root, asking the verifier at every node, until it emits a token of its own or the
 * answer ends.
 */
export async function walk(input: WalkInput): Promise<WalkResult> {
  const { tree, pass, position, random, verification } = input;
  let { law, stop } = input;
  const hidden = hiddenReader(pass);
  const tokens: TokenId[] = [];
  const path: number[] = [];
  const logProbabilities: TokenLogProbability[] | undefined =
    input.logProbabilities === undefined ? undefined : [];

  for (let node = 0; ; ) {
    const here = law;
    const row = node;
    let processed: Promise<TokenLaw> | undefined;
    const { trials } = tree.nodes[node]!;
    const decision = await verification.visit({
      node,
      position: position + tokens.length + 1,
      trials,
      random,
      law: async (warp) => {
        if (warp !== undefined) return here.lawOf(await pass.logits(row), warp);
        processed ??= here.law(pass, row);
        return processed;
      },
      hidden,
    });
    if (decision.kind === "descend" && !trials.includes(decision.trial)) {
      throw new DecodingError("PART_FAILED", {
        message: `Verifier ${input.verifierName} accepted a trial that is not one of node ${node}.`,
        fix: "This is a fault of the verifier: it must return one of the trials it was given.",
      });
    }
    const token = decision.kind === "descend" ? decision.trial.token : decision.token;
    logProbabilities?.push(await law.logProbabilities(pass, node, token, input.logProbabilities!));
    tokens.push(token);
    stop = stop.advance(token);
    if (decision.kind === "descend") path.push(decision.trial.child);
    if (stop.finish !== undefined) break;
    law = law.advance(token);
    if (decision.kind === "emit") break;
    node = decision.trial.child;
  }
  return { tokens, path, logProbabilities, finish: stop.finish, law, stop };
}

/** Reads rows of hidden states, each site once. */
function hiddenReader(pass: Pass) {
  const sites = new Map<HiddenSite, Promise<Float32Array>>();
  return async (site: HiddenSite, node: number): Promise<Float32Array> => {
    const tensor = pass.hidden(site);
    let values = sites.get(site);
    if (values === undefined) {
      values = tensor.read();
      sites.set(site, values);
    }
    const width = tensor.shape.at(-1)!;
    return (await values).subarray(node * width, (node + 1) * width);
  };
}
