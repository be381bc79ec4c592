import type { HiddenSite, TokenId } from "@foretoken/core";
import type { ContextNode } from "./context-node.ts";

/** What a scripted hidden state says about the row it was read at. */
export interface HiddenCode {
  /** The row's own token, -1 for a probe. */
  readonly token: TokenId;
  /** Index in the text. */
  readonly position: number;
  /** 0 to `L`; `L + 1` for `"final"`. */
  readonly site: number;
  /** Depends on every token the row sees, in order; below 2^24, so exact in float32. At site 0 only on its own. */
  readonly context: number;
  /** The tokens before its own, newest first, as far as the width reaches; -1 where there is none. Empty knowledge at site 0. */
  readonly recent: readonly TokenId[];
}

/** Values before the recent tokens. */
const HEADER = 4;

/** Smallest width a hidden state can have. */
export const LEAST_WIDTH = HEADER;

/** Writes the hidden state `[D]` of a row. */
export function encodeHidden(
  target: Float32Array,
  node: ContextNode,
  site: HiddenSite,
  layers: number,
): void {
  target.fill(-1);
  target[0] = node.content.token ?? -1;
  target[1] = node.length - 1;
  target[2] = site === "final" ? layers + 1 : site;
  target[3] = contextCode(site === 0 ? (node.content.token ?? -1) + 1 : node.hash);
  let before = node.parent;
  for (let at = HEADER; site !== 0 && at < target.length && before?.parent !== undefined; at++) {
    target[at] = before.content.token ?? -1;
    before = before.parent;
  }
}

/** Reads what `encodeHidden` wrote. */
export function decodeHidden(state: Float32Array): HiddenCode {
  return {
    token: state[0]!,
    position: state[1]!,
    site: state[2]!,
    context: state[3]!,
    recent: [...state.subarray(HEADER)],
  };
}

function contextCode(hash: number): number {
  return hash % 2 ** 24;
}
