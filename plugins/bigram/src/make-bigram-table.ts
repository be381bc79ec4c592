import { DecodingError, type Model, type Requirements, type TokenId } from "@foretoken/core";
import { modelOwner, SuccessorCounts, type SuccessorTable } from "@foretoken/drafting";

/** Options of {@link makeBigramTable}. */
export interface MakeBigramTableOptions {
  /** Successors kept of each token. Default 8. */
  readonly candidates?: number;
  /** `exact` asks the whole model, `layer0` its first layer alone, which is quicker and knows less. Default `exact`. */
  readonly way?: "exact" | "layer0";
  /**
   * What stands before each token: a token alone is what models look at for want of anything else, and predicts nothing.
   * Default what the tokenizer puts before a text, else its first control token.
   */
  readonly prefix?: readonly TokenId[];
  /** Tokens that get a row. Default all but control tokens. */
  readonly tokens?: readonly TokenId[];
  /** Tokens asked in one pass. Default 256. */
  readonly rowsPerPass?: number;
  readonly signal?: AbortSignal;
  /** Told after every pass. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a prediction counts for when the table is merged with counts: so many tokens of text. */
const EVIDENCE = 8;

/**
 * Asks a model what follows each token of its vocabulary, and keeps the answers as a table: all tokens are children of one
 * prefix, so that a pass asks hundreds of them.
 *
 * Control tokens get no row, and are nobody's successor unless they end an answer.
 *
 * @throws `ABORTED`; `UNSUPPORTED` when the model cannot run trees, or its layers one by one for `layer0`.
 * @see Chang and Bergen 2025, "Bigram Subnetworks", https://arxiv.org/abs/2504.15471, which finds such predictions in a small part
 * of a model; drafting with them is our own
 */
export async function makeBigramTable(
  model: Model,
  {
    candidates = 8,
    way = "exact",
    prefix = beginning(model),
    tokens,
    rowsPerPass = 256,
    signal,
    onProgress,
  }: MakeBigramTableOptions = {},
): Promise<SuccessorTable> {
  const { vocabularySize } = model;
  const special = model.tokenizer?.specialTokens ?? new Map<TokenId, string>();
  const isAnswer = (token: TokenId) => !special.has(token) || model.tokenizer!.endTokens.has(token);
  // Those that are left out may stand among the best: ask for a few more.
  const topK = Math.min(vocabularySize, candidates + Math.min(special.size, 4));
  const requirements: Requirements = { topK, tree: true, ...(way === "layer0" ? { gates: true } : {}) };
  refuseUnsupported(model, requirements);
  await model.prepare(requirements, { signal });

  const owner = modelOwner(model);
  const counts = new SuccessorCounts({ order: 1, vocabularySize, owner, successors: candidates });
  const layers =
    way === "layer0" ? Array.from({ length: model.layers }, (_, layer) => layer === 0) : undefined;
  const all =
    tokens ?? Array.from({ length: vocabularySize }, (_, token) => token).filter((id) => !special.has(id));
  const session = model.createSession();
  try {
    if (prefix.length > 0) {
      const { rows } = await session.forward(
        prefix.map((token) => ({ token })),
        { layers, signal },
      );
      session.commit(rows);
    }
    for (let at = 0; at < all.length; at += rowsPerPass) {
      const asked = all.slice(at, at + rowsPerPass);
      const pass = await session.forward(
        asked.map((token) => ({ token, parent: -1 })),
        { logits: "all", topK, layers, signal },
      );
      for (const [row, token] of asked.entries()) {
        const { ids, logProbabilities } = await pass.topK(row, topK);
        const shares = [...ids].map((id, rank) => [id, Math.exp(logProbabilities[rank]!)] as const);
        const kept = shares.filter(([id, share]) => isAnswer(id) && share > 0).slice(0, candidates);
        for (const [rank, [id, share]] of kept.entries()) {
          counts.add(token, id, EVIDENCE * share, rank === 0 ? EVIDENCE : 0);
        }
      }
      session.discard();
      onProgress?.(Math.min(at + rowsPerPass, all.length), all.length);
    }
  } finally {
    session.dispose();
  }
  return counts.table();
}

/** Without begin tokens, the first control token is as a rule the one that stood between documents in training. */
function beginning({ tokenizer }: Model): readonly TokenId[] {
  if (tokenizer === undefined || tokenizer.beginTokens.length > 0) return tokenizer?.beginTokens ?? [];
  return [...tokenizer.specialTokens.keys()].sort((a, b) => a - b).slice(0, 1);
}

function refuseUnsupported(model: Model, requirements: Requirements): void {
  const [reason] = model.unsupported(requirements);
  if (reason === undefined) return;
  throw new DecodingError("UNSUPPORTED", {
    message: `A bigram table of ${model.id} cannot be made this way: ${reason}`,
    fix: "Use the other way, or count texts with SuccessorCounts.",
  });
}
