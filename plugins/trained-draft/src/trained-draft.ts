import {
  DecodingError,
  type DraftContext,
  type DraftSource,
  type DraftState,
  type DraftWarp,
  type Model,
  type ProposeContext,
  parseOptions,
  type Round,
  type Session,
  type TokenId,
  type TokenLaw,
  type TokenTree,
} from "@foretoken/core";
import { DraftRows, GivenPart, loadHead, sharedLength, TargetStates } from "@foretoken/drafting";
import type { RuntimeModel } from "@foretoken/runtime";
import { FeatureSession } from "./feature-session.ts";
import { optionsSchema, type TrainedDraftOptions } from "./options.ts";

const NAME = "trained-draft";

/** What a trained draft needs of a target beyond the contract. */
type HeadLoader = Pick<RuntimeModel, "loadHead">;

/** A head on its target. */
interface Ready {
  readonly model: Model;
  readonly vocabulary: Int32Array;
}

/**
 * A small trained network as a draft: one decoder layer that continues the target's own final-norm states, with the target's
 * embeddings and some rows of its head. It is bound to the weights it was trained on.
 *
 * @throws `INVALID_OPTION`
 * @see Li et al. 2024, "EAGLE", https://arxiv.org/abs/2401.15077
 */
export function trainedDraft(options: TrainedDraftOptions): DraftSource {
  const head = new GivenPart(parseOptions(NAME, optionsSchema, options).head, loadHead, NAME);
  /** Heads on the targets that were prepared. */
  const ready = new WeakMap<Model, Ready>();
  return {
    name: NAME,
    // One layer and a part of the vocabulary, and reading the target's states back.
    passCost: () => 0.2,
    requirements: () => ({ hidden: ["final"], prefillHidden: ["final"] }),
    unsupported: (target) => (canLoad(target) ? head.unsupported(target) : [noLoader(target)]),
    prepare: async (target, { signal } = {}) => {
      if (ready.has(target)) return;
      const loaded = await head.prepare(target);
      const model = await (target as Model & HeadLoader).loadHead(loaded);
      await model.prepare({ hidden: ["final"], tree: true }, { signal });
      ready.set(target, { model, vocabulary: loaded.vocabulary });
    },
    start: ({ session, model: target }: DraftContext) => {
      const prepared = ready.get(target);
      if (prepared === undefined) {
        throw unsupported(`${NAME} was started before its head was loaded.`);
      }
      const states = new TargetStates();
      const { model, vocabulary } = prepared;
      const draft = new FeatureSession(model.createSession(), states, vocabulary, target.vocabularySize);
      return new TrainedDraft(session, draft, states, new Set(target.tokenizer?.endTokens));
    },
  };
}

function canLoad(target: Model): boolean {
  return typeof (target as Partial<HeadLoader>).loadHead === "function";
}

function noLoader(target: Model): string {
  return `${NAME} cannot draft for ${target.id}: only models that @foretoken/runtime loads take heads.`;
}

function unsupported(message: string): DecodingError {
  return new DecodingError("UNSUPPORTED", {
    message,
    fix: "Use a head that was trained on the target's weights, and await the decoder's prepare(model) first, as generate() does.",
  });
}

/** The head's text follows the target's; it catches up when it is next asked. */
class TrainedDraft implements DraftState {
  readonly #target: Session;
  readonly #draft: FeatureSession;
  readonly #states: TargetStates;
  readonly #endTokens: ReadonlySet<TokenId>;
  #rows: DraftRows | undefined;

  constructor(target: Session, draft: FeatureSession, states: TargetStates, endTokens: ReadonlySet<TokenId>) {
    this.#target = target;
    this.#draft = draft;
    this.#states = states;
    this.#endTokens = endTokens;
  }

  begin(tree: TokenTree, context: ProposeContext, warp?: DraftWarp): void {
    const { tokens } = this.#target;
    this.#draft.truncate(sharedLength(tokens, this.#draft.tokens));
    this.#rows = new DraftRows({
      session: this.#draft,
      missing: tokens.slice(this.#draft.tokens.length),
      endTokens: this.#endTokens,
      tree,
      context,
      warp,
    });
  }

  async expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]> {
    return this.#rows!.expand(nodes);
  }

  /** Keeps the root's row, and the target's states; drafted rows are run again on those, with the next pass. */
  async observe(round: Round): Promise<void> {
    const rows = this.#rows;
    this.#rows = undefined;
    if (rows !== undefined) {
      this.#draft.commit(round.kind === "verify" ? rows.accepted(round).slice(0, 1) : []);
    }
    await this.#states.observe(round);
  }

  fork(session: Session): DraftState {
    const states = this.#states.fork();
    return new TrainedDraft(session, this.#draft.branchWith(states), states, this.#endTokens);
  }

  /** Drops what a round that was broken off has left, too. */
  truncate(length: number): void {
    this.#draft.truncate(Math.min(length, this.#draft.tokens.length));
    this.#states.truncate(length);
    this.#rows = undefined;
  }

  dispose(): void {
    this.#draft.dispose();
  }
}
