import type { Decision, Verification, Verifier, VisitedNode } from "./verifier.ts";

/**
 * Draws the token the target would emit and goes on where a child holds it. Right for every tree whose shape does not
 * depend on the target's draw; with the seed of plain decoding it gives plain decoding's tokens.
 */
export function drawAndMatch(): Verifier {
  return {
    name: "draw-and-match",
    guarantee: () => ({
      level: "identical",
      reasons: ["draw-and-match emits exactly the tokens the target draws"],
    }),
    start: (): Verification => ({ visit: drawOrDescend }),
  };
}

async function drawOrDescend({ law, trials, position, random }: VisitedNode): Promise<Decision> {
  const token = (await law()).draw(random.uniform(position, "token"));
  const trial = trials.find((candidate) => candidate.token === token);
  return trial === undefined ? { kind: "emit", token } : { kind: "descend", trial };
}

/**
 * Recursive rejection sampling: tries the drafted siblings in drawing order against what is left of the target's law.
 * For trials drawn from their proposal, and for chosen ones as point masses.
 *
 * @see Jeon et al. 2024, "Recursive Speculative Decoding", https://arxiv.org/abs/2402.14160; for chains, Leviathan et al.
 * 2023, Algorithm 1, https://arxiv.org/abs/2211.17192
 */
export function rejection(): Verifier {
  return {
    name: "rejection",
    guarantee: () => ({
      level: "distribution",
      reasons: ["rejection sampling keeps the target's law but not plain decoding's draws"],
    }),
    start: (): Verification => ({ visit: rejectOrDescend }),
  };
}

async function rejectOrDescend({ law, trials, position, random }: VisitedNode): Promise<Decision> {
  let target = await law();
  for (const [index, trial] of trials.entries()) {
    const { token, proposal } = trial;
    const proposed = proposal === "point" ? 1 : proposal.probability(token);
    const wanted = target.probability(token);
    // Strictly less: a token the target never emits is refused even at a uniform of 0.
    if (random.uniform(position, "accept", index) * proposed < wanted) return { kind: "descend", trial };
    const rest = proposal === "point" ? target.without(token) : target.residual(proposal);
    if (rest !== undefined) target = rest;
    // Nothing left means the two laws are equal up to rounding: then a rejection cannot happen.
    else if (wanted > 0) return { kind: "descend", trial };
  }
  return { kind: "emit", token: target.draw(random.uniform(position, "token")) };
}
