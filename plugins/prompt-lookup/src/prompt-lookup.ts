import {
  type DraftContext,
  type Drafter,
  type Drafting,
  type ProposeContext,
  parseOptions,
  type Round,
  type Session,
  type TokenId,
  TokenTree,
} from "@foretoken/core";
import { AcceptanceEstimate } from "./acceptance-estimate.ts";
import { MatchIndex } from "./match-index.ts";
import { optionsSchema, type PromptLookupOptions } from "./options.ts";

const NAME = "prompt-lookup";

/**
 * Drafts what followed the longest earlier match of the last tokens, in prompt and output, for as long as it is likely
 * to be accepted.
 *
 * @throws `INVALID_OPTION`
 * @see Saxena 2023, "Prompt Lookup Decoding", https://github.com/apoorvumang/prompt-lookup-decoding
 */
export function promptLookup(options: PromptLookupOptions = {}): Drafter {
  const { minNgram, maxNgram, maxTokens, minProbability } = parseOptions(NAME, optionsSchema, options);
  return {
    name: NAME,
    proposal: "deterministic",
    defaultLimit: maxTokens,
    requirements: () => ({}),
    start: ({ model, session }: DraftContext) =>
      new PromptLookup(
        { maxTokens, minProbability, endTokens: model.tokenizer?.endTokens ?? new Set() },
        session,
        new MatchIndex(minNgram, maxNgram),
        new AcceptanceEstimate(),
      ),
  };
}

interface Settings {
  readonly maxTokens: number;
  readonly minProbability: number;
  readonly endTokens: ReadonlySet<TokenId>;
}

class PromptLookup implements Drafting {
  readonly #settings: Settings;
  readonly #session: Session;
  readonly #index: MatchIndex;
  readonly #estimate: AcceptanceEstimate;

  constructor(settings: Settings, session: Session, index: MatchIndex, estimate: AcceptanceEstimate) {
    this.#settings = settings;
    this.#session = session;
    this.#index = index;
    this.#estimate = estimate;
  }

  propose(root: TokenId, limit: number, { depth = limit }: ProposeContext): TokenTree {
    const { maxTokens, minProbability, endTokens } = this.#settings;
    this.#readText();
    const length = this.#index.length;
    const draft: TokenId[] = [];
    const chances: number[] = [];
    let probability = 1;
    // The draft stands in the index while it grows: a match may run into it, which is how a loop of any length goes on.
    for (let token = root; ; ) {
      this.#index.append(token);
      const match = this.#index.longestMatch();
      if (match === undefined || draft.length === Math.min(maxTokens, limit, depth)) break;
      probability *= this.#estimate.probability(match);
      if (probability < minProbability) break;
      token = match.next;
      draft.push(token);
      chances.push(probability);
      if (endTokens.has(token)) break;
    }
    this.#index.truncate(length);
    return TokenTree.chain(root, draft, NAME, chances);
  }

  /** Compares what the model wrote with what the index would have said, drafted or not. */
  observe({ kind, rowTokens, committed }: Round): void {
    if (kind === "prefill") return;
    this.#readText();
    for (const row of committed) {
      const token = rowTokens[row]!;
      const match = this.#index.longestMatch();
      if (match !== undefined) this.#estimate.record(match, this.#index.length, match.next === token);
      this.#index.append(token);
    }
  }

  fork(session: Session): Drafting {
    return new PromptLookup(this.#settings, session, this.#index.fork(), this.#estimate.fork());
  }

  truncate(length: number): void {
    this.#index.truncate(length);
    this.#estimate.truncate(length);
  }

  dispose(): void {}

  /** Takes in text that no verification showed: the prompt, and what was cached before. */
  #readText(): void {
    const { tokens } = this.#session;
    if (this.#index.length > tokens.length) this.truncate(tokens.length);
    while (this.#index.length < tokens.length) this.#index.append(tokens[this.#index.length]!);
  }
}
