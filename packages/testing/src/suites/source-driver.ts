import {
  type DraftSource,
  type DraftState,
  lawStateFor,
  mergeRequirements,
  type Requirements,
  type Session,
  seededRandom,
  type TokenId,
  type TokenLaw,
  TokenTree,
} from "@foretoken/core";
import type { ScriptedModel } from "../scripted/scripted-model.ts";

/** Probabilities `[V]` behind each path of drafted tokens, the root's own under `""`. */
export type PathLaws = Readonly<Record<string, readonly number[] | undefined>>;

/** What the target makes of a round: how many of the draft's tokens it accepts, and whether others' tokens follow them. */
export interface RoundOutcome {
  /** Tokens accepted on the draft's own path, at most 2. */
  readonly own: number;
  /** Tokens accepted behind them that only another drafter proposed. */
  readonly foreign: number;
}

/** Drives the state of one source by hand: the tree is fixed by its laws, the outcome by the test. */
export class SourceDriver {
  readonly session: Session;
  readonly state: DraftState;
  readonly #requirements: Requirements;
  #root: TokenId;

  private constructor(session: Session, state: DraftState, requirements: Requirements, root: TokenId) {
    this.session = session;
    this.state = state;
    this.#requirements = requirements;
    this.#root = root;
  }

  /**
   * Runs all but the last token of `text`, as a prompt that the state observes.
   * @param text - At least two tokens; the last one becomes the root.
   */
  static async start(
    model: ScriptedModel,
    source: DraftSource,
    text: readonly TokenId[],
  ): Promise<SourceDriver> {
    await source.prepare?.(model);
    const requirements = mergeRequirements([source.requirements(model)]);
    await model.prepare(requirements);
    const session = model.createSession();
    const state = source.start({ model, session, missingPrefix: 0 });
    const prompt = text.slice(0, -1);
    const pass = await session.forward(
      prompt.map((token) => ({ token })),
      { logits: "all", hidden: requirements.prefillHidden, topK: requirements.prefillTopK },
    );
    await state.observe({
      kind: "prefill",
      pass,
      position: 0,
      rowTokens: prompt,
      parents: prompt.map((_, row) => row - 1),
      committed: prompt.map((_, row) => row),
      next: text.at(-1),
      probes: [],
    });
    session.commit(pass.rows);
    return new SourceDriver(session, state, requirements, text.at(-1)!);
  }

  get text(): readonly TokenId[] {
    return [...this.session.tokens, this.#root];
  }

  /** Begins a round on the driver's text. */
  begin(signal?: AbortSignal): TokenTree {
    const tree = new TokenTree(this.#root);
    const { vocabularySize } = this.session.model;
    const law = lawStateFor({ temperature: 1 }, { vocabularySize, promptTokens: this.session.tokens });
    this.state.begin(tree, { random: seededRandom(3), law, signal });
    return tree;
  }

  /** The laws behind the root, its two most probable tokens, and the most probable token behind each: three passes. */
  async laws(): Promise<{ readonly tree: TokenTree; readonly laws: PathLaws }> {
    const tree = this.begin();
    const laws: Record<string, readonly number[] | undefined> = {};
    let level = [0];
    for (const width of [2, 1, 0]) {
      const next: number[] = [];
      for (const [index, law] of (await this.state.expand(level)).entries()) {
        laws[tree.path(level[index]!).join(" ")] = law && table(law);
        for (let rest = law, child = 0; rest !== undefined && child < width; child++) {
          next.push(tree.add(level[index]!, rest.mode(), rest, "draft"));
          rest = rest.without(rest.mode());
        }
      }
      level = next;
      if (level.length === 0) break;
    }
    return { tree, laws };
  }

  /** One round: the laws, a target pass over the draft's tree and others' tokens, and the outcome. */
  async round({ own, foreign }: RoundOutcome): Promise<PathLaws> {
    const { session } = this;
    const { tree, laws } = await this.laws();
    const position = session.tokens.length;
    const rows = tree.nodes.map(({ token, parent }) => ({ token, parent }));
    const committed = [0];
    for (let node = 0; committed.length <= own && tree.nodes[node]!.trials.length > 0; ) {
      // The second sibling, so that rows of the first have to be dropped.
      node = tree.nodes[node]!.trials.at(-1)!.child;
      committed.push(node);
    }
    for (let more = 0; more < foreign; more++) {
      const parent = committed.at(-1)!;
      const siblings = rows.filter((row) => row.parent === parent).map(({ token }) => token);
      const token = Array.from({ length: session.model.vocabularySize }, (_, id) => id).find(
        (id) => !siblings.includes(id),
      )!;
      committed.push(rows.push({ token, parent }) - 1);
    }
    const pass = await session.forward(rows, {
      logits: "all",
      hidden: this.#requirements.hidden,
      topK: this.#requirements.topK,
    });
    const next = (rows[committed.at(-1)!]!.token + position) % session.model.vocabularySize;
    await this.state.observe({
      kind: "verify",
      pass,
      position,
      rowTokens: rows.map(({ token }) => token),
      parents: rows.map(({ parent }) => parent),
      committed,
      next,
      probes: [],
    });
    session.commit(committed.map((row) => pass.rows[row]!));
    this.#root = next;
    return laws;
  }

  /** A second driver on a branch of the session. */
  fork(): SourceDriver {
    const branch = this.session.branch();
    return new SourceDriver(branch, this.state.fork(branch), this.#requirements, this.#root);
  }

  /** Goes back to a length of the text; its last token becomes the root again. */
  truncate(length: number): void {
    const root = this.text[length]!;
    this.session.truncate(length);
    this.state.truncate(length);
    this.#root = root;
  }

  dispose(): void {
    this.state.dispose();
    this.session.dispose();
  }
}

function table(law: TokenLaw): readonly number[] {
  return Array.from({ length: law.vocabularySize }, (_, token) => law.probability(token));
}
