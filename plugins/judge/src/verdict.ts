import type { TokenId } from "@foretoken/core";

/** One decision of a judge, told to who wants to count. */
export interface Verdict {
  /** Index in the text of the decided token. */
  readonly position: number;
  readonly token: TokenId;
  /**
   * Whose token it is: `inner`: a draft that the inner rule accepted; `judge`: a draft that it refused; `target`: no draft, but
   * the inner rule's own token.
   */
  readonly by: "inner" | "judge" | "target";
  /** The scores of refused drafts, in the order they were tried; empty where nothing was judged. */
  readonly judged: readonly { readonly token: TokenId; readonly score: number }[];
}
