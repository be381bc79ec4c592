import {
  type Decision,
  DecodingError,
  drawAndMatch,
  type Guarantee,
  type Model,
  parseOptions,
  type TokenId,
  type Trial,
  type Verification,
  type Verifier,
  type VisitedNode,
} from "@foretoken/core";
import { divergenceScore } from "./divergence-score.ts";
import { type JudgeHead, judgeMisfit, judgeScore, loadJudge, readJudge } from "./judge-head.ts";
import { isHead, type JudgeOptions, optionsSchema } from "./options.ts";
import { randomScore } from "./random-score.ts";
import type { Score } from "./score.ts";
import type { Verdict } from "./verdict.ts";

const NAME = "judge";

/** Scores end here: none is above. */
const NEVER = 1;

/**
 * Keeps refused drafts that a judge holds to be right. The inner rule tries all siblings first; where it would emit a token of its
 * own, the refused sibling with the highest score above the threshold is accepted instead. The judge changes no random number of
 * the inner rule, so that at threshold 1 it *is* the inner rule.
 *
 * @throws `INVALID_OPTION`
 * @see Bachmann et al. 2025, "Judge Decoding", https://arxiv.org/abs/2501.19309
 */
export function judge(options: JudgeOptions): Verifier {
  const {
    verifier: inner = drawAndMatch(),
    head,
    control,
    threshold,
    ...limits
  } = parseOptions(NAME, optionsSchema, options);
  if (threshold !== NEVER) checkScorer(head !== undefined, control, threshold);
  const isInner = threshold === NEVER;
  const isTrained = !isInner && control === undefined;
  let loaded = isHead(head) ? readJudge(head, "The judge") : undefined;

  return {
    name: NAME,
    guarantee: () => guaranteeAround(inner.guarantee(), isInner),
    requirements: (model) => {
      const { hidden = [], ...rest } = inner.requirements?.(model) ?? {};
      return { ...rest, hidden: isTrained ? [...new Set([...hidden, model.layers])] : hidden };
    },
    prepare: async (model, { signal } = {}) => {
      await inner.prepare?.(model, { signal });
      if (!isTrained) return;
      loaded ??= await loadJudge(head as URL | string);
      const misfit = judgeMisfit(loaded, model);
      if (misfit !== undefined) throw unsupported(misfit);
    },
    start: (model) => {
      if (isTrained && loaded === undefined) throw unsupported("The judge was started before it was loaded.");
      return judgeBehind(inner.start(model), {
        score: isTrained ? headScore(loaded!, model) : control === "random" ? randomScore : divergenceScore,
        threshold: threshold ?? loaded!.threshold,
        consecutive: limits.consecutive,
        isProtected: protection(model, limits),
        onVerdict: limits.onVerdict,
      });
    },
  };
}

/** What a judge decides by. */
interface JudgeRule {
  readonly score: Score;
  readonly threshold: number;
  readonly consecutive: number;
  readonly isProtected: (token: TokenId) => boolean;
  readonly onVerdict?: (verdict: Verdict) => void;
}

function judgeBehind(inner: Verification, rule: JudgeRule): Verification {
  /** Overrides on the path that lead to the visited node, none of the inner rule's between them. */
  let run = 0;
  return {
    visit: async (node) => {
      if (node.node === 0) run = 0;
      const decision = await inner.visit(node);
      const isOpen = decision.kind === "emit" && run < rule.consecutive && rule.threshold < NEVER;
      const judged = isOpen ? await scoresOf(node, rule) : [];
      const best = await firstAllowed(node, judged, rule.threshold);
      run = best === undefined ? 0 : run + 1;
      const final: Decision = best === undefined ? decision : { kind: "descend", trial: best };
      rule.onVerdict?.({
        position: node.position,
        token: final.kind === "descend" ? final.trial.token : final.token,
        by: best !== undefined ? "judge" : decision.kind === "descend" ? "inner" : "target",
        judged: judged.map(({ trial, score }) => ({ token: trial.token, score })),
      });
      return final;
    },
  };
}

interface ScoredTrial {
  readonly trial: Trial;
  readonly score: number;
}

/** Scores of the drafts behind a node that may be accepted, each token once, in the order they were tried. */
async function scoresOf(node: VisitedNode, { score, isProtected }: JudgeRule): Promise<ScoredTrial[]> {
  const tried = new Set<TokenId>();
  const scored: ScoredTrial[] = [];
  for (const trial of node.trials) {
    if (tried.has(trial.token) || isProtected(trial.token)) continue;
    tried.add(trial.token);
    scored.push({ trial, score: await score(node, trial) });
  }
  return scored;
}

/** The best draft above the threshold, the first one tried among equals, that bans and sampling options leave possible. */
async function firstAllowed(
  node: VisitedNode,
  scored: readonly ScoredTrial[],
  threshold: number,
): Promise<Trial | undefined> {
  const above = scored.filter(({ score }) => score > threshold).sort((a, b) => b.score - a.score);
  if (above.length === 0) return undefined;
  // At temperature 0 the processed law holds one token; what is banned has no mass at any temperature.
  const possible = await node.law({ temperature: 1 });
  return above.find(({ trial }) => possible.probability(trial.token) > 0)?.trial;
}

/** @param model - Whose last residual is read. */
function headScore(head: JudgeHead, model: Model | undefined): Score {
  const site = model?.layers ?? 0;
  return async (node, { child }) => judgeScore(head, await node.hidden(site, child));
}

function protection(
  model: Model | undefined,
  {
    protect,
    judgeControlTokens,
  }: { readonly protect: readonly TokenId[]; readonly judgeControlTokens: boolean },
): (token: TokenId) => boolean {
  const tokenizer = model?.tokenizer;
  const control = judgeControlTokens ? [] : (tokenizer?.specialTokens.keys() ?? []);
  const tokens = new Set([...protect, ...control, ...(tokenizer?.endTokens ?? [])]);
  return (token) => tokens.has(token);
}

function guaranteeAround({ level, reasons }: Guarantee, isInner: boolean): Guarantee {
  return isInner
    ? { level, reasons: [...reasons, "the judge's threshold of 1 overrides nothing"] }
    : { level: "altered", reasons: ["a judge keeps drafts that the target would not have written"] };
}

function checkScorer(hasHead: boolean, control: string | undefined, threshold: number | undefined): void {
  const refuse = (message: string, fix: string) => {
    throw new DecodingError("INVALID_OPTION", { message, fix });
  };
  if (hasHead && control !== undefined) {
    refuse(`judge() got a head and the control ${control}.`, "Give one of them.");
  }
  if (!hasHead && control === undefined) {
    refuse(
      "judge() got neither a head nor a control.",
      "Pass the folder of a trained judge as head, or threshold 1 for the inner rule.",
    );
  }
  if (!hasHead && threshold === undefined) {
    refuse(`judge() got the control ${control} without a threshold.`, "Pass a threshold from 0 to 1.");
  }
}

function unsupported(message: string): DecodingError {
  return new DecodingError("UNSUPPORTED", {
    message,
    fix: "Use a judge that was trained on the target's weights, and await the decoder's prepare(model) first, as generate() does.",
  });
}
