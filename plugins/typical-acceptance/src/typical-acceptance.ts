import {
  type Decision,
  type Guarantee,
  parseOptions,
  type Trial,
  type Verifier,
  type VisitedNode,
} from "@foretoken/core";
import { optionsSchema, type TypicalAcceptanceOptions } from "./options.ts";
import { drawTypical, type Typicality, typicalBound } from "./typical-law.ts";

const NAME = "typical-acceptance";

/**
 * Keeps drafts that are typical of the target's law: `p(t) > min(ε, α·e^−H(p))`. The less sure the target, the less probability a draft
 * needs. At temperature 0 only the likeliest token is typical, and the text is the target's own.
 *
 * @throws `INVALID_OPTION`
 * @see Cai et al. 2024, "Medusa", section 2.3.1, https://arxiv.org/abs/2401.10774
 */
export function typicalAcceptance(options: TypicalAcceptanceOptions = {}): Verifier {
  const { mode, ...typicality } = parseOptions(NAME, optionsSchema, options);
  const visit = mode === "greedy" ? keepLikeliest : drawAndKeep;
  return {
    name: NAME,
    guarantee: () => guaranteeOf(mode, typicality),
    start: () => ({ visit: (node) => visit(node, typicality) }),
  };
}

async function keepLikeliest({ law, trials }: VisitedNode, typicality: Typicality): Promise<Decision> {
  const target = await law();
  const bound = typicalBound(target, typicality);
  let best: Trial | undefined;
  let most = bound;
  for (const trial of trials) {
    const probability = target.probability(trial.token);
    // Strictly more: among equals the one that was tried first.
    if (probability > most) [best, most] = [trial, probability];
  }
  return best === undefined ? { kind: "emit", token: target.mode() } : { kind: "descend", trial: best };
}

async function drawAndKeep(
  { law, trials, position, random }: VisitedNode,
  typicality: Typicality,
): Promise<Decision> {
  const target = await law();
  const token = drawTypical(target, typicalBound(target, typicality), random.uniform(position, "token"));
  const trial = trials.find((candidate) => candidate.token === token);
  return trial === undefined ? { kind: "emit", token } : { kind: "descend", trial };
}

/** Only draws from a law of which nothing is cut are the target's own. */
function guaranteeOf(mode: "greedy" | "typical", { epsilon, alpha }: Typicality): Guarantee {
  if (mode === "typical" && Math.min(epsilon, alpha) === 0) {
    return { level: "identical", reasons: [`${NAME} cuts no token off the target's law`] };
  }
  const reason =
    mode === "typical"
      ? `${NAME} never emits tokens that are not typical of the target's law`
      : `${NAME} keeps the likeliest typical draft, and draws nothing`;
  return { level: "altered", reasons: [reason] };
}
