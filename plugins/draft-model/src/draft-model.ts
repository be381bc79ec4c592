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
import { DraftRows, sharedLength } from "@foretoken/drafting";
import { type DraftModelOptions, isModel, optionsSchema } from "./options.ts";
import { vocabularyDifference } from "./vocabulary.ts";

const NAME = "draft-model";

/**
 * A smaller model with the target's tokenizer as a draft, on a device and with a cache of its own.
 *
 * @throws `INVALID_OPTION`
 * @see Leviathan et al. 2023, https://arxiv.org/abs/2211.17192
 */
export function draftModel(options: DraftModelOptions): DraftSource {
  const { model } = parseOptions(NAME, optionsSchema, options);
  let loaded = isModel(model) ? model : undefined;
  let loading: Promise<Model> | undefined;
  /** Answers that begin at the same time load it once; after a failure the next one tries again. */
  const load = async (signal?: AbortSignal): Promise<Model> => {
    if (isModel(model)) return model;
    loading ??= model({ signal }).catch((error) => {
      loading = undefined;
      throw error;
    });
    loaded = await loading;
    return loaded;
  };
  /** Targets that the draft was compared with. */
  const known = new WeakSet<Model>();
  return {
    name: NAME,
    passCost: (target) => (loaded === undefined ? 0.5 : loaded.cost.ms(1, 0) / target.cost.ms(1, 0)),
    requirements: () => ({}),
    prepare: async (target, { signal } = {}) => {
      const draft = await load(signal);
      if (!known.has(target)) mustShareVocabulary(target, draft);
      known.add(target);
      await draft.prepare({ tree: true }, { signal });
    },
    start: ({ session, model: target }: DraftContext) => {
      if (loaded === undefined) throw notPrepared();
      return new DraftModel(session, loaded.createSession(), new Set(target.tokenizer?.endTokens));
    },
  };
}

function mustShareVocabulary(target: Model, draft: Model): void {
  const difference = vocabularyDifference(target, draft);
  if (difference === undefined) return;
  throw new DecodingError("VOCABULARY_MISMATCH", {
    message: `${draft.id} cannot draft for ${target.id}: ${difference}.`,
    fix: "Draft with a model of the same family, which has the same tokenizer.",
  });
}

function notPrepared(): DecodingError {
  return new DecodingError("UNSUPPORTED", {
    message: `${NAME} was started before its model was loaded.`,
    fix: "Await the decoder's prepare(model) first, as generate() does.",
  });
}

/** The draft's text follows the target's; it catches up when it is next asked. */
class DraftModel implements DraftState {
  readonly #target: Session;
  readonly #draft: Session;
  readonly #endTokens: ReadonlySet<TokenId>;
  #rows: DraftRows | undefined;

  constructor(target: Session, draft: Session, endTokens: ReadonlySet<TokenId>) {
    this.#target = target;
    this.#draft = draft;
    this.#endTokens = endTokens;
  }

  begin(tree: TokenTree, context: ProposeContext, warp?: DraftWarp): void {
    const { tokens } = this.#target;
    const shared = sharedLength(tokens, this.#draft.tokens);
    this.truncate(shared);
    this.#rows = new DraftRows({
      session: this.#draft,
      missing: tokens.slice(shared),
      endTokens: this.#endTokens,
      tree,
      context,
      warp,
    });
  }

  async expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]> {
    return this.#rows!.expand(nodes);
  }

  /** Keeps the rows of drafts that became text. */
  observe(round: Round): void {
    if (this.#rows === undefined) return;
    // A prompt after drafts: their round was broken off.
    this.#draft.commit(round.kind === "verify" ? this.#rows.accepted(round) : []);
    this.#rows = undefined;
  }

  fork(session: Session): DraftState {
    return new DraftModel(session, this.#draft.branch(), this.#endTokens);
  }

  /** Drops what a round that was broken off has left, too. */
  truncate(length: number): void {
    this.#draft.truncate(Math.min(length, this.#draft.tokens.length));
    this.#rows = undefined;
  }

  dispose(): void {
    this.#draft.dispose();
  }
}
