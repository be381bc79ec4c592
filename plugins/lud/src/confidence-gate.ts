import type { Guarantee, Verification, Verifier, VisitedNode } from "@foretoken/core";
import type { KeptToken } from "./options.ts";

/** Options of {@link confidenceGate}. */
export interface ConfidenceGateOptions {
  readonly guarantee: Guarantee;
  readonly onKept?: (kept: KeptToken) => void;
}

/** Keeps whatever is drafted, as the drafter was sure of it, and draws the token behind. For chains. */
export function confidenceGate({ guarantee, onKept }: ConfidenceGateOptions): Verifier {
  const visit: Verification["visit"] = async ({ trials: [trial], law, position, random }: VisitedNode) => {
    const draw = async () => (await law()).draw(random.uniform(position, "token"));
    if (trial === undefined) return { kind: "emit", token: await draw() };
    onKept?.({ position, token: trial.token, targetToken: await draw() });
    return { kind: "descend", trial };
  };
  return { name: "confidence-gate", guarantee: () => guarantee, start: () => ({ visit }) };
}
