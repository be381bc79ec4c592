import {
  DecodingError,
  type DraftContext,
  type Drafter,
  type Drafting,
  type Model,
  type ProposeContext,
  parseOptions,
  type Round,
  type TokenId,
  type TokenTree,
} from "@foretoken/core";
import {
  candidatesNeeded,
  candidateTable,
  cutTemplate,
  GivenSuccessors,
  type TableStore,
  TEMPLATE_2_2_2,
  TokenTable,
  type TreeTemplate,
  tableTree,
  treeTemplate,
} from "@foretoken/drafting";
import { optionsSchema, type TokenRecyclingOptions } from "./options.ts";

const NAME = "token-recycling";

/**
 * Drafts a tree from the candidates that earlier passes discarded: for every token, the best candidates of the last row
 * that was fed it.
 *
 * @throws `INVALID_OPTION`
 * @see Luo et al. 2024, "Turning Trash into Treasure", https://arxiv.org/abs/2408.08696
 */
export function tokenRecycling(options: TokenRecyclingOptions = {}): Drafter {
  const { nodes, candidatesPerToken, seedFromPrompt, start, store, copyStore, ...rest } = parseOptions(
    NAME,
    optionsSchema,
    options,
  );
  const template = treeTemplate(rest.template ?? TEMPLATE_2_2_2);
  checkCandidates(candidatesPerToken, template);
  refuseTwoTables(start, store);
  const tables = new StartTables(candidatesPerToken, { start, store, copyStore });
  return {
    name: NAME,
    proposal: "deterministic",
    defaultLimit: nodes,
    requirements: () => ({
      topK: candidatesPerToken,
      ...(seedFromPrompt ? { prefillTopK: candidatesPerToken } : {}),
    }),
    prepare: async (model) => tables.prepare(model),
    start: ({ model }: DraftContext) =>
      new TokenRecycling(
        { candidatesPerToken, seedFromPrompt, template, isShared: store !== undefined && !copyStore },
        tables.tableFor(model),
      ),
  };
}

interface Settings {
  readonly candidatesPerToken: number;
  readonly seedFromPrompt: boolean;
  readonly template: TreeTemplate;
  /** Whether other sequences write to the table too. */
  readonly isShared: boolean;
}

class TokenRecycling implements Drafting {
  readonly #settings: Settings;
  readonly #table: TokenTable;
  /** The template cut to the limit of the last round, which is nearly always that of the next. */
  #cut: { readonly limit: number; readonly template: TreeTemplate } | undefined;

  constructor(settings: Settings, table: TokenTable) {
    this.#settings = settings;
    this.#table = table;
  }

  propose(root: TokenId, limit: number, { depth }: ProposeContext): TokenTree {
    if (this.#cut?.limit !== limit)
      this.#cut = { limit, template: cutTemplate(this.#settings.template, limit) };
    return tableTree(root, this.#table, this.#cut.template, NAME, depth);
  }

  /** Keeps the candidates of every row, rejected ones too, in order: the last row with a token wins. */
  async observe({ kind, pass, rowTokens }: Round): Promise<void> {
    const { candidatesPerToken, seedFromPrompt } = this.#settings;
    if (kind === "prefill" && !seedFromPrompt) return;
    for (const [row, token] of rowTokens.entries()) {
      this.#table.set(token, (await pass.topK(row, candidatesPerToken)).ids);
    }
  }

  fork(): Drafting {
    return new TokenRecycling(this.#settings, this.#settings.isShared ? this.#table : this.#table.fork());
  }

  /** The table says what the model thinks behind a token, wherever that was: nothing in it belongs to a place of the text. */
  truncate(): void {}

  dispose(): void {}
}

/** Where the table of a sequence comes from: a store, start values, or nowhere. */
class StartTables {
  readonly #candidatesPerToken: number;
  readonly #store: TableStore | undefined;
  readonly #copyStore: boolean;
  readonly #start: GivenSuccessors | undefined;
  /** The start values as a table, which sequences copy. */
  #candidates: TokenTable | undefined;

  constructor(
    candidatesPerToken: number,
    { start, store, copyStore }: Pick<TokenRecyclingOptions, "start" | "store"> & { copyStore: boolean },
  ) {
    this.#candidatesPerToken = candidatesPerToken;
    this.#store = store;
    this.#copyStore = copyStore;
    if (start !== undefined) this.#start = new GivenSuccessors(start, `start of ${NAME}`, 1);
  }

  async prepare(model: Model): Promise<void> {
    await this.#start?.prepare(model);
  }

  tableFor(model: Model): TokenTable {
    const candidatesPerToken = this.#candidatesPerToken;
    if (this.#store !== undefined) {
      const table = this.#store.tableFor(model, candidatesPerToken);
      return this.#copyStore ? table.fork() : table;
    }
    if (this.#start === undefined) {
      return new TokenTable({ vocabularySize: model.vocabularySize, candidatesPerToken });
    }
    const successors = this.#start.tableFor(model);
    this.#candidates ??= candidateTable(successors, candidatesPerToken);
    return this.#candidates.fork();
  }
}

function refuseTwoTables(start: unknown, store: unknown): void {
  if (start === undefined || store === undefined) return;
  throw new DecodingError("INVALID_OPTION", {
    message: `start and store of ${NAME} are both given, and each is the table to begin with.`,
    fix: "Leave one of them out; candidateTable() makes a table that a store can hold.",
  });
}

function checkCandidates(candidatesPerToken: number, template: TreeTemplate): void {
  const needed = candidatesNeeded(template);
  if (candidatesPerToken >= needed) return;
  throw new DecodingError("INVALID_OPTION", {
    message: `candidatesPerToken of ${NAME} is ${candidatesPerToken}, but a place of the template has ${needed} children.`,
    fix: `Keep at least ${needed} candidates, or pass a template with fewer children at each place.`,
  });
}
