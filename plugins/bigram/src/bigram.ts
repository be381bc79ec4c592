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
import { bestFirstTree, GivenSuccessors, SuccessorOverlay } from "@foretoken/drafting";
import { type BigramOptions, optionsSchema } from "./options.ts";

const NAME = "bigram";
/** Successors kept of a token, so that counts can lift some of them to the best. */
const SUCCESSORS = 12;

/**
 * Drafts what the model itself predicts behind single tokens, by a table made once, and what followed them in this text.
 *
 * @throws `INVALID_OPTION`
 * @see Chang and Bergen 2025, "Bigram Subnetworks", https://arxiv.org/abs/2504.15471
 */
export function bigram(options: BigramOptions = {}): Drafter {
  const { table, nodes, widths, update, beta } = parseOptions(NAME, optionsSchema, options);
  const given = table === undefined ? undefined : new GivenSuccessors(table, `table of ${NAME}`, 1);
  return {
    name: NAME,
    proposal: "deterministic",
    defaultLimit: nodes,
    requirements: () => ({}),
    prepare: async (model) => given?.prepare(model),
    start: ({ model, session }: DraftContext) => {
      const rows = given?.tableFor(model);
      return new Bigram(
        { widths, update, beta, endTokens: model.tokenizer?.endTokens ?? new Set() },
        session,
        // Unknown rows weigh as much as known ones: what was never counted keeps its part, 1 of 1 + n / β.
        new SuccessorOverlay({
          base: (token) => rows?.row(token),
          successors: Math.max(SUCCESSORS, ...widths),
          unknown: 1,
        }),
      );
    },
  };
}

interface Settings {
  readonly widths: readonly number[];
  readonly update: boolean;
  readonly beta: number;
  readonly endTokens: ReadonlySet<TokenId>;
}

class Bigram implements Drafting {
  readonly #settings: Settings;
  readonly #session: Session;
  readonly #rows: SuccessorOverlay;
  /** Tokens of the text that are counted; the first has none before it. */
  #counted: number;

  constructor(settings: Settings, session: Session, rows: SuccessorOverlay, counted = 0) {
    this.#settings = settings;
    this.#session = session;
    this.#rows = rows;
    this.#counted = counted;
  }

  propose(root: TokenId, limit: number, { depth = Number.POSITIVE_INFINITY }: ProposeContext): TokenTree {
    const { widths, endTokens, update } = this.#settings;
    if (update) this.#count(root);
    return bestFirstTree(this.#session.tokens.at(-1), root, {
      source: NAME,
      limit,
      depth: Math.min(depth, widths.length),
      widths,
      endTokens,
      successors: (_, token) => this.#rows.row(token),
    });
  }

  observe(): void {}

  fork(session: Session): Drafting {
    return new Bigram(this.#settings, session, this.#rows.fork(), this.#counted);
  }

  /** What was counted stays counted: it says what follows a token, not where. */
  truncate(length: number): void {
    this.#counted = Math.min(this.#counted, length);
  }

  dispose(): void {}

  /**
   * Counts the text up to the root. With `c` the count of a successor and `n` that of all, its chance becomes
   * `(c + β · p) / (n + β)`: a count weighs `1 / β` of the table's whole row.
   */
  #count(root: TokenId): void {
    const { tokens } = this.#session;
    for (; this.#counted <= tokens.length; this.#counted++) {
      const before = tokens[this.#counted - 1];
      const token = tokens[this.#counted] ?? root;
      if (before !== undefined) this.#rows.add(before, token, 1 / this.#settings.beta);
    }
  }
}
