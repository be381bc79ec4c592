import type { TokenId } from "@foretoken/core";

/** How many tokens two texts have in common from their beginnings on. */
export function sharedLength(a: readonly TokenId[], b: readonly TokenId[]): number {
  const most = Math.min(a.length, b.length);
  for (let index = 0; index < most; index++) if (a[index] !== b[index]) return index;
  return most;
}
