import {
  lawStateFor,
  type SamplingOptions,
  seededRandom,
  type TokenId,
  type TokenLaw,
} from "@foretoken/core";
import type { ScriptedModel } from "@foretoken/testing";

/** A way to get it wrong. */
export type Mistake =
  | "adds surprise up instead of taking the mean"
  | "leaves the last token of a trial out of its score"
  | "scores by the model's own law"
  | "measures entropy of the model's own law"
  | "gives all trials the same numbers"
  | "keeps the unlikeliest trial"
  | "keeps only the first token of a trial"
  | "goes on behind punctuation"
  | "tries one continuation less";

/** What is written, and under which options. */
export interface CautiousTextOptions {
  readonly model: ScriptedModel;
  readonly prompt: readonly TokenId[];
  readonly sampling: SamplingOptions;
  readonly seed: number;
  readonly maxTokens: number;
  readonly endTokens: readonly TokenId[];
  readonly punctuation: readonly TokenId[];
  readonly maxTrials: number;
  readonly mistake?: Mistake;
}

/**
 * The algorithm once more, written for whole texts instead of sessions: every law is made from all tokens before it, and
 * nothing is kept between two of them.
 */
export function cautiousText(options: CautiousTextOptions): readonly TokenId[] {
  const { model, prompt, sampling, maxTokens, endTokens, punctuation, maxTrials, mistake } = options;
  const random = seededRandom(options.seed);
  const lawBehind = (text: readonly TokenId[], how: SamplingOptions): TokenLaw => {
    const start = { vocabularySize: model.vocabularySize, promptTokens: prompt };
    const state = text.slice(prompt.length).reduce((at, token) => at.advance(token), lawStateFor(how, start));
    return state.lawOf(model.logitsOf(text));
  };
  const isOver = (text: readonly TokenId[]) =>
    text.length - prompt.length >= maxTokens ||
    (text.length > prompt.length && endTokens.includes(text.at(-1)!));

  const trialFrom = (text: readonly TokenId[], own: ReturnType<typeof seededRandom>) => {
    const tokens: TokenId[] = [];
    const surprises: number[] = [];
    do {
      const here = [...text, ...tokens];
      const law = lawBehind(here, sampling);
      const token = law.draw(own.uniform(here.length, "token"));
      const scored = mistake === "scores by the model's own law" ? lawBehind(here, { temperature: 1 }) : law;
      tokens.push(token);
      surprises.push(-scored.logProbability(token));
    } while (
      !(punctuation.includes(tokens.at(-1)!) && mistake !== "goes on behind punctuation") &&
      !isOver([...text, ...tokens])
    );
    const counted =
      mistake === "leaves the last token of a trial out of its score" && surprises.length > 1
        ? surprises.slice(0, -1)
        : surprises;
    const sum = counted.reduce((total, surprise) => total + surprise, 0);
    const score = mistake === "adds surprise up instead of taking the mean" ? sum : sum / counted.length;
    return { tokens, score: mistake === "keeps the unlikeliest trial" ? -score : score };
  };

  const first = lawBehind(prompt, sampling).draw(random.uniform(prompt.length, "token"));
  let text: readonly TokenId[] = [...prompt, first];
  while (!isOver(text)) {
    const law = lawBehind(text, sampling);
    const measured =
      mistake === "measures entropy of the model's own law" ? lawBehind(text, { temperature: 1 }) : law;
    const doubt = Math.max(0, Math.min(1, (measured.entropy() - 0.01) / 1.49));
    const count = Math.trunc(1 + (maxTrials - 1) * doubt);
    if (count === 1) {
      text = [...text, law.draw(random.uniform(text.length, "token"))];
      continue;
    }
    const tried = mistake === "tries one continuation less" ? count - 1 : count;
    let best: ReturnType<typeof trialFrom> | undefined;
    for (let trial = 0; trial < tried; trial++) {
      const number = mistake === "gives all trials the same numbers" ? 0 : trial;
      const next = trialFrom(text, random.fork(text.length, number));
      if (best === undefined || next.score < best.score) best = next;
    }
    const kept =
      mistake === "keeps only the first token of a trial" ? best!.tokens.slice(0, 1) : best!.tokens;
    text = [...text, ...kept];
  }
  return text.slice(prompt.length);
}
