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
  cutTemplate,
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
  const { nodes, candidatesPerToken, seedFromPrompt, store, copyStore, ...rest } = parseOptions(
    NAME,
    optionsSchema,
    options,
  );
  const template = treeTemplate(rest.template ?? TEMPLATE_2_2_2);
  checkCandidates(candidatesPerToken, template);
  return {
    name: NAME,
    proposal: "deterministic",
    defaultLimit: nodes,
    requirements: () => ({
      topK: candidatesPerToken,
      ...(seedFromPrompt ? { prefillTopK: candidatesPerToken } : {}),
    }),
    start: ({ model }: DraftContext) =>
      new TokenRecycling(
        { candidatesPerToken, seedFromPrompt, template, isShared: store !== undefined && !copyStore },
        startTable(model, candidatesPerToken, store, copyStore),
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

function startTable(
  model: Model,
  candidatesPerToken: number,
  store: TableStore | undefined,
  copyStore: boolean,
): TokenTable {
  if (store === undefined)
    return new TokenTable({ vocabularySize: model.vocabularySize, candidatesPerToken });
  const table = store.tableFor(model, candidatesPerToken);
  return copyStore ? table.fork() : table;
}

function checkCandidates(candidatesPerToken: number, template: TreeTemplate): void {
  const needed = candidatesNeeded(template);
  if (candidatesPerToken >= needed) return;
  throw new DecodingError("INVALID_OPTION", {
    message: `candidatesPerToken of ${NAME} is ${candidatesPerToken}, but a place of the template has ${needed} children.`,
    fix: `Keep at least ${needed} candidates, or pass a template with fewer children at each place.`,
  });
}
