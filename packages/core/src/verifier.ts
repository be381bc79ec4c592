import type { DraftWarp } from "./draft-source.ts";
import type { Guarantee } from "./guarantee.ts";
import type { Model, Requirements } from "./model.ts";
import type { Random } from "./random.ts";
import type { HiddenSite } from "./session.ts";
import type { TokenLaw } from "./token-law.ts";
import type { Trial } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";

/** The node a verifier decides about: which token follows it. */
export interface VisitedNode {
  /** Index in the tree; 0 is the root. */
  readonly node: number;
  /** Index in the text of the token being decided; keys random numbers. */
  readonly position: number;
  /** What was drafted behind this node, in the order it must be tried. */
  readonly trials: readonly Trial[];
  readonly random: Random;
  /**
   * The target's processed law of the next token; read lazily.
   * @param warp - How it differs, for a rule that weighs tokens the target would not draw: `{ temperature: 1 }` where it is 0.
   */
  law(warp?: DraftWarp): Promise<TokenLaw>;
  /** The target's hidden state `[D]` at a draft node's own row. Needs the site in `requirements`. */
  hidden(site: HiddenSite, node: number): Promise<Float32Array>;
}

/** Accept a trial and go on behind it, or end the walk with a token of the verifier's own. */
export type Decision =
  | { readonly kind: "descend"; readonly trial: Trial }
  | { readonly kind: "emit"; readonly token: TokenId };

/** A verifier's state for one sequence. */
export interface Verification {
  visit(node: VisitedNode): Promise<Decision>;
}

/** Decides, node by node, which drafts become text. Holds options only. */
export interface Verifier {
  readonly name: string;
  /** What it promises about the text, with its options as they are. */
  guarantee(): Guarantee;
  requirements?(model: Model): Requirements;
  /** Loads what it needs; called before every answer, so it must be cheap when nothing is new. */
  prepare?(model: Model, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** @param model - Whose text is verified; left out where there are laws only. */
  start(model?: Model): Verification;
}
