import { type DraftWarp, hasCode, type LawState, type TokenLaw } from "@foretoken/core";

/** The law that a draft's logits give behind a node; `undefined` where they give no mass to any token that processing leaves possible. */
export function draftLaw(state: LawState, logits: Float32Array, warp: DraftWarp = {}): TokenLaw | undefined {
  try {
    return state.lawOf(logits, warp);
  } catch (error) {
    if (hasCode(error, "EMPTY_LAW")) return undefined;
    throw error;
  }
}

/** Runs a draft's pass. A draft that does not fit is no draft; the answer goes on without. */
export async function orNoDraft(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!hasCode(error, "POOL_FULL", "CONTEXT_FULL")) throw error;
  }
}
