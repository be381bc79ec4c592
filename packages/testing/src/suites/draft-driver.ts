import {
  type Drafter,
  type Drafting,
  type LawState,
  lawStateFor,
  mergeRequirements,
  type Requirements,
  type RowInput,
  type SamplingOptions,
  type Session,
  seededRandom,
  type TokenId,
  TokenTree,
} from "@foretoken/core";
import type { ScriptedModel } from "../scripted/scripted-model.ts";

/** How a {@link DraftDriver} begins. */
export interface DraftDriverOptions {
  readonly model: ScriptedModel;
  readonly drafter: Drafter;
  readonly prompt: readonly TokenId[];
  /** Prompt rows of one pass; default the whole prompt. */
  readonly chunk?: number;
  /** Prompt tokens that are cached before the drafter starts. */
  readonly missingPrefix?: number;
  readonly sampling?: SamplingOptions;
}

/** A drafted tree as plain data: each node's token and parent. */
export type DraftShape = readonly (readonly [token: TokenId, parent: number])[];

/** Drives one drafting by hand, so that tests can fork, truncate and compare what it drafts. Verifies by draw and match. */
export class DraftDriver {
  readonly session: Session;
  readonly #drafting: Drafting;
  readonly #requirements: Requirements;
  #root: TokenId;
  #law: LawState;
  readonly #random = seededRandom(17);

  private constructor(
    session: Session,
    drafting: Drafting,
    requirements: Requirements,
    root: TokenId,
    law: LawState,
  ) {
    this.session = session;
    this.#drafting = drafting;
    this.#requirements = requirements;
    this.#root = root;
    this.#law = law;
  }

  /** Runs the prompt and shows it to the drafter. */
  static async start(options: DraftDriverOptions): Promise<DraftDriver> {
    const { model, drafter, prompt, chunk = prompt.length, missingPrefix = 0, sampling = {} } = options;
    await drafter.prepare?.(model);
    const requirements = mergeRequirements([drafter.requirements(model)]);
    await model.prepare(requirements);
    const session = model.createSession();
    if (missingPrefix > 0) {
      const cached = await session.forward(prompt.slice(0, missingPrefix).map((token) => ({ token })));
      session.commit(cached.rows);
    }
    const drafting = drafter.start({ model, session, missingPrefix });
    if (drafting.needsPrefix) session.truncate(0);
    const law = lawStateFor(sampling, { vocabularySize: model.vocabularySize, promptTokens: prompt });
    const driver = new DraftDriver(session, drafting, requirements, prompt[0]!, law);
    while (session.tokens.length < prompt.length) await driver.#prefill(prompt, chunk);
    return driver;
  }

  /** The text so far, the root included. */
  get text(): readonly TokenId[] {
    return [...this.session.tokens, this.#root];
  }

  /** One round: draft, run, walk, observe, commit. */
  async round(limit: number): Promise<DraftShape> {
    const { session } = this;
    const position = session.tokens.length;
    const tree = await this.#drafting.propose(this.#root, limit, { random: this.#random, law: this.#law });
    const rows: RowInput[] = tree.nodes.map(({ token, parent }) => ({ token, parent }));
    const probes = this.#probeRows(tree, rows.length, (node) => node);
    const pass = await session.forward([...rows, ...probes], {
      logits: "all",
      topK: this.#requirements.topK,
      hidden: this.#requirements.hidden,
    });
    const committed = [0];
    let next: TokenId;
    for (let node = 0; ; node = committed.at(-1)!) {
      this.#law = node === 0 ? this.#law : this.#law.advance(tree.nodes[node]!.token);
      const drawn = (await this.#law.law(pass, node)).draw(
        this.#random.uniform(position + committed.length, "token"),
      );
      const child = tree.child(node, drawn);
      if (child === undefined) {
        next = drawn;
        break;
      }
      committed.push(child);
    }
    this.#law = this.#law.advance(next);
    await this.#drafting.observe({
      kind: "verify",
      pass,
      position,
      rowTokens: tree.nodes.map(({ token }) => token),
      parents: tree.nodes.map(({ parent }) => parent),
      committed,
      next,
      probes: probes.map((_, index) => rows.length + index),
    });
    session.commit(committed.map((row) => pass.rows[row]!));
    this.#root = next;
    return tree.nodes.map(({ token, parent }) => [token, parent] as const);
  }

  /** A second driver on a branch of the session. */
  fork(): DraftDriver {
    const branch = this.session.branch();
    const drafting = this.#drafting.fork(branch);
    return new DraftDriver(branch, drafting, this.#requirements, this.#root, this.#law);
  }

  /** Goes back to a length of the text; its last token becomes the root again. */
  truncate(length: number): void {
    const root = this.text[length]!;
    this.session.truncate(length);
    this.#drafting.truncate(length);
    this.#root = root;
  }

  dispose(): void {
    this.#drafting.dispose();
    this.session.dispose();
  }

  async #prefill(prompt: readonly TokenId[], chunk: number): Promise<void> {
    const { session } = this;
    const { prefillTopK, prefillHidden } = this.#requirements;
    const position = session.tokens.length;
    const tokens = prompt.slice(position, position + chunk);
    const lastRow = tokens.length - 1;
    const isLast = position + tokens.length === prompt.length;
    const probes = isLast ? this.#probeRows(new TokenTree(tokens.at(-1)!), tokens.length, () => lastRow) : [];
    const pass = await session.forward([...tokens.map((token) => ({ token })), ...probes], {
      logits: "all",
      topK: prefillTopK,
      hidden: prefillHidden,
    });
    let next: TokenId | undefined;
    if (isLast) {
      next = (await this.#law.law(pass, lastRow)).draw(this.#random.uniform(prompt.length, "token"));
      this.#law = this.#law.advance(next);
      this.#root = next;
    }
    await this.#drafting.observe({
      kind: "prefill",
      pass,
      position,
      rowTokens: tokens,
      parents: tokens.map((_, row) => row - 1),
      committed: tokens.map((_, row) => row),
      next,
      probes: probes.map((_, index) => tokens.length + index),
    });
    session.commit(pass.rows.slice(0, tokens.length));
  }

  #probeRows(tree: TokenTree, firstRow: number, rowOf: (node: number) => number): RowInput[] {
    const probes = this.#drafting.probes?.(tree, 16) ?? [];
    return probes.map(({ node, row }, index) => ({
      ...row,
      parent: node === undefined ? firstRow + index - 1 : rowOf(node),
    }));
  }
}
