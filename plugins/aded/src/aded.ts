import {
  type DraftContext,
  type Drafter,
  type Drafting,
  type ProposeContext,
  parseOptions,
  type Session,
  type TokenId,
  type TokenTree,
} from "@foretoken/core";
import {
  bestFirstTree,
  GivenSuccessors,
  pairKey,
  SuccessorOverlay,
  type SuccessorRow,
} from "@foretoken/drafting";
import { type AdedOptions, optionsSchema } from "./options.ts";
import { PuctSearch } from "./puct-search.ts";
import { searchedTree } from "./searched-tree.ts";

const NAME = "aded";
/** Nodes of a tree at most. */
const MOST_NODES = 64;

/**
 * Drafts from statistics of three tokens, which learn from prompt and output while decoding: for every pair of tokens, what
 * followed it and how often.
 *
 * @throws `INVALID_OPTION`
 * @see Liu, Lei, Zhang, Xu 2024, "Adaptive Draft-Verification for Efficient LLM Decoding", https://arxiv.org/abs/2407.12021
 */
export function aded(options: AdedOptions = {}): Drafter {
  const { table, start, ...settings } = parseOptions(NAME, optionsSchema, options);
  const pairs = table === undefined ? undefined : new GivenSuccessors(table, `table of ${NAME}`, 2);
  const singles = start === undefined ? undefined : new GivenSuccessors(start, `start of ${NAME}`, 1);
  return {
    name: NAME,
    proposal: "deterministic",
    defaultLimit: settings.nodes,
    requirements: () => ({}),
    prepare: async (model) => {
      await pairs?.prepare(model);
      await singles?.prepare(model);
    },
    start: ({ model, session }: DraftContext) => {
      const { vocabularySize } = model;
      const [byPair, bySingle] = [pairs?.tableFor(model), singles?.tableFor(model)];
      const rows = new SuccessorOverlay({
        base: (key) => byPair?.row(key) ?? bySingle?.row(key % vocabularySize),
        successors: settings.successors,
      });
      const endTokens = model.tokenizer?.endTokens ?? new Set<TokenId>();
      return new Aded({ ...settings, vocabularySize, endTokens }, session, rows);
    },
  };
}

interface Settings extends Required<Omit<AdedOptions, "table" | "start" | "nodes">> {
  readonly vocabularySize: number;
  readonly endTokens: ReadonlySet<TokenId>;
}

class Aded implements Drafting {
  readonly #settings: Settings;
  readonly #session: Session;
  readonly #rows: SuccessorOverlay;
  readonly #search: PuctSearch | undefined;
  /** Tokens of the text that were counted at least once. */
  #counted: number;

  constructor(settings: Settings, session: Session, rows: SuccessorOverlay, counted = 0) {
    this.#settings = settings;
    this.#session = session;
    this.#rows = rows;
    this.#counted = counted;
    // A line has one state less than a draft has levels: the most likely token is put behind it.
    if (settings.search === "puct") {
      this.#search = new PuctSearch({ ...settings, states: Math.max(2, settings.depth) });
    }
  }

  propose(root: TokenId, limit: number, context: ProposeContext): TokenTree {
    const { depth, sentences, endTokens } = this.#settings;
    this.#adapt(root);
    const { tokens } = this.#session;
    const before = tokens.at(-1);
    const tree = {
      source: NAME,
      limit: Math.min(limit, MOST_NODES),
      depth: Math.min(depth, context.depth ?? depth),
      endTokens,
      successors: this.#successors,
    };
    if (this.#search === undefined) return bestFirstTree(before, root, tree);
    let draws = 0;
    const uniform = () => context.random.uniform(tokens.length + 1, "draft", draws++);
    this.#search.run(before, root, this.#successors, uniform);
    return searchedTree(this.#search, before, { ...tree, sentences });
  }

  observe(): void {}

  fork(session: Session): Drafting {
    return new Aded(this.#settings, session, this.#rows.fork(), this.#counted);
  }

  /** What was learnt stays learnt: it says what follows two tokens, not where. */
  truncate(length: number): void {
    this.#counted = Math.min(this.#counted, length);
  }

  dispose(): void {}

  readonly #successors = (before: TokenId | undefined, token: TokenId): SuccessorRow | undefined =>
    before === undefined ? undefined : this.#rows.row(pairKey(this.#settings.vocabularySize, before, token));

  /**
   * Makes what stands in the newest tokens heavier, once before every pass: an occurrence counts for as long as the window
   * holds it. Text that was never counted is counted once.
   */
  #adapt(root: TokenId): void {
    const { window, learnPrompt, step, most, vocabularySize } = this.#settings;
    const { tokens } = this.#session;
    const length = tokens.length + 1;
    const newest = Math.max(0, length - window);
    const from = learnPrompt ? Math.min(newest, Math.max(0, this.#counted - 2)) : newest;
    for (let at = from + 2; at < length; at++) {
      const key = pairKey(vocabularySize, tokens[at - 2]!, tokens[at - 1]!);
      this.#rows.add(key, tokens[at] ?? root, step, most);
    }
    this.#counted = length;
  }
}
