import type {
  DraftState,
  DraftWarp,
  LayerPlan,
  LayerSet,
  ProposeContext,
  Round,
  Session,
  TokenId,
  TokenLaw,
  TokenTree,
} from "@foretoken/core";
import { DraftRows } from "./draft-rows.ts";

/** Options of {@link SelfDraft}. */
export interface SelfDraftOptions {
  /** The target's session. */
  readonly session: Session;
  /** The layers of drafts behind a prompt of so many tokens. */
  plan(promptTokens: number): LayerPlan;
  /** Nothing is drafted behind these. */
  readonly endTokens?: ReadonlySet<TokenId>;
}

/**
 * The target as its own draft, with some of its layers left out: what draft sources without weights of their own share.
 *
 * Each round runs on a branch of its own, which is never adopted: rows without some layers must not become text. The next
 * branch starts from the target's own rows. Where the target leaves out layers itself, the draft leaves out those as well:
 * the text's rows have nothing for them to see.
 */
export class SelfDraft implements DraftState {
  readonly #options: SelfDraftOptions;
  #promptTokens: number;
  #plan: LayerPlan;
  #branch: Session | undefined;
  #rows: DraftRows | undefined;

  /** @param promptTokens - Tokens of the prompt; until one is observed, the text there is. */
  constructor(options: SelfDraftOptions, promptTokens = options.session.tokens.length) {
    this.#options = options;
    this.#promptTokens = promptTokens;
    this.#plan = options.plan(promptTokens);
  }

  begin(tree: TokenTree, context: ProposeContext, warp?: DraftWarp): void {
    this.dispose();
    const { session, endTokens } = this.#options;
    this.#branch = session.branch();
    this.#rows = new DraftRows({
      session: this.#branch,
      missing: [],
      layers: intersection(this.#plan.layersAt(session.tokens.length), context.layers),
      endTokens,
      tree,
      context,
      warp,
    });
  }

  async expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]> {
    return this.#rows!.expand(nodes);
  }

  /** The target ran the accepted rows itself. */
  observe({ kind, position, rowTokens, next }: Round): void {
    this.dispose();
    if (kind === "prefill" && next !== undefined) this.#planBehind(position + rowTokens.length);
  }

  fork(session: Session): DraftState {
    return new SelfDraft({ ...this.#options, session }, this.#promptTokens);
  }

  truncate(length: number): void {
    this.dispose();
    if (length < this.#promptTokens) this.#planBehind(length);
  }

  /** Frees the branch of the last round; a later round begins another. */
  dispose(): void {
    this.#branch?.dispose();
    this.#branch = undefined;
  }

  #planBehind(promptTokens: number): void {
    this.#promptTokens = promptTokens;
    this.#plan = this.#options.plan(promptTokens);
  }
}

/** Share of a small model's pass that no layer takes away: its head. */
const HEAD_SHARE = 0.2;

/** Price of a pass with `kept` of `layers` layers, in passes with all of them; for `DraftSource.passCost`. */
export const selfDraftCost = (kept: number, layers: number): number =>
  HEAD_SHARE + ((1 - HEAD_SHARE) * kept) / layers;

/** The layers in both sets. */
function intersection(left: LayerSet | undefined, right: LayerSet | undefined): LayerSet | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left.map((runs, layer) => runs && right[layer]);
}
