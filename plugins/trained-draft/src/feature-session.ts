import type {
  BranchOptions,
  LayerSet,
  Model,
  Pass,
  PendingRow,
  RowInput,
  Session,
  TokenId,
  Wants,
} from "@foretoken/core";
import { type TargetStates, wholeVocabulary } from "@foretoken/drafting";

/**
 * A head's session as that of a language model: it gives each row its feature, and each row's logits the target's vocabulary.
 *
 * The feature of a row is the state of the position before: the target's where the row before is text, the head's own where it is a
 * draft.
 *
 * ```
 * text … a  b   root          drafts  y    z
 *        h  h   ↑ target's            ↑ g  ↑ g   the head's own
 * ```
 */
export class FeatureSession implements Session {
  readonly #head: Session;
  readonly #states: TargetStates;
  readonly #vocabulary: Int32Array;
  /** Tokens of the target's vocabulary. */
  readonly #vocabularySize: number;
  /** The head's states of drafted rows. */
  readonly #own = new WeakMap<PendingRow, Float32Array>();

  constructor(head: Session, states: TargetStates, vocabulary: Int32Array, vocabularySize: number) {
    this.#head = head;
    this.#states = states;
    this.#vocabulary = vocabulary;
    this.#vocabularySize = vocabularySize;
  }

  get model(): Model {
    return this.#head.model;
  }

  get tokens(): readonly TokenId[] {
    return this.#head.tokens;
  }

  get pendingCount(): number {
    return this.#head.pendingCount;
  }

  get isDisposed(): boolean {
    return this.#head.isDisposed;
  }

  layersAt(position: number): LayerSet | undefined {
    return this.#head.layersAt(position);
  }

  async forward(rows: readonly RowInput[], wants: Wants = {}): Promise<Pass> {
    const pass = await this.#head.forward(this.#withFeatures(rows), { ...wants, hidden: ["final"] });
    const states = pass.hidden("final");
    const [, width] = states.shape;
    const values = await states.read();
    pass.rows.forEach((row, index) => {
      this.#own.set(row, values.slice(index * width, (index + 1) * width));
    });
    return new WholeVocabularyPass(pass, this.#vocabulary, this.#vocabularySize);
  }

  /** Rows that follow the text, one behind the other, continue it: the target has states for their positions. */
  #withFeatures(rows: readonly RowInput[]): readonly RowInput[] {
    const positions: number[] = [];
    return rows.map((row, index) => {
      const parent = row.parent ?? index - 1;
      if (typeof parent !== "number") {
        positions.push(parent.position + 1);
        return { ...row, feature: this.#own.get(parent) };
      }
      const position = parent < 0 ? this.tokens.length : positions[parent] + 1;
      positions.push(position);
      return { ...row, feature: this.#states.at(position - 1) };
    });
  }

  commit(path: readonly PendingRow[], options?: { readonly keep?: readonly PendingRow[] }): void {
    this.#head.commit(path, options);
  }

  discard(rows?: readonly PendingRow[]): void {
    this.#head.discard(rows);
  }

  truncate(length: number): void {
    this.#head.truncate(length);
  }

  branch(options?: BranchOptions): FeatureSession {
    return this.branchWith(this.#states, options);
  }

  /** A branch whose text goes on with other states. */
  branchWith(states: TargetStates, options?: BranchOptions): FeatureSession {
    return new FeatureSession(this.#head.branch(options), states, this.#vocabulary, this.#vocabularySize);
  }

  adopt(branch: Session): void {
    this.#head.adopt(branch instanceof FeatureSession ? branch.#head : branch);
  }

  onDispose(listener: () => void): void {
    this.#head.onDispose(listener);
  }

  dispose(): void {
    this.#head.dispose();
  }
}

/** A head's pass with logits for every token of the target; those the head does not know are -Infinity. */
class WholeVocabularyPass implements Pass {
  readonly #pass: Pass;
  readonly #vocabulary: Int32Array;
  readonly #size: number;

  constructor(pass: Pass, vocabulary: Int32Array, size: number) {
    this.#pass = pass;
    this.#vocabulary = vocabulary;
    this.#size = size;
  }

  get rows(): readonly PendingRow[] {
    return this.#pass.rows;
  }

  get elapsedMs(): number {
    return this.#pass.elapsedMs;
  }

  async logits(row: number): Promise<Float32Array> {
    return wholeVocabulary(await this.#pass.logits(row), this.#vocabulary, this.#size);
  }

  async argmax(row: number): Promise<TokenId> {
    return this.#vocabulary[await this.#pass.argmax(row)];
  }

  async topK(row: number, k: number): ReturnType<Pass["topK"]> {
    const { ids, logProbabilities } = await this.#pass.topK(row, k);
    return { ids: ids.map((id) => this.#vocabulary[id]), logProbabilities };
  }

  logSumExp(row: number): Promise<number> {
    return this.#pass.logSumExp(row);
  }

  hidden(site: Parameters<Pass["hidden"]>[0]): ReturnType<Pass["hidden"]> {
    return this.#pass.hidden(site);
  }
}
