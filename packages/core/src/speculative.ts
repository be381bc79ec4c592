import type { Budget, Budgeting } from "./budget.ts";
import type {
  DecodeContext,
  Decoder,
  DecodeStep,
  Decoding,
  SequenceContext,
  SourceCount,
} from "./decoder.ts";
import { DraftSet } from "./draft-set.ts";
import type { Drafter, Round } from "./drafter.ts";
import { DecodingError } from "./errors.ts";
import { fixedBudget } from "./fixed-budget.ts";
import { guaranteeOf } from "./guarantee.ts";
import type { LayerPlan, LayerSchedule } from "./layer-schedule.ts";
import { type Model, mergeRequirements, type Requirements } from "./model.ts";
import { orRollBack } from "./roll-back.ts";
import type { RowInput, Session } from "./session.ts";
import { TokenTree } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";
import type { Verification, Verifier } from "./verifier.ts";
import { drawAndMatch, rejection } from "./verifiers.ts";
import { type WalkResult, walk } from "./walk.ts";

/** Options of {@link speculative}. */
export interface SpeculativeOptions {
  /** Who proposes; several are merged into one tree. */
  readonly drafters: Drafter | readonly Drafter[];
  /** Default: {@link drawAndMatch}, or {@link rejection} when a drafter samples. */
  readonly verifier?: Verifier;
  /** Default: {@link fixedBudget} with what each drafter prefers. */
  readonly budget?: Budget;
  /** Which layers run at which position; trees are cut where the set changes. */
  readonly schedule?: LayerSchedule;
}

/** Most probe rows of one pass. */
const MOST_PROBES = 64;

/**
 * Drafts a tree of tokens, verifies it in one target pass, and keeps the path the verifier accepts.
 *
 * @throws `INVALID_OPTION` without a drafter, or with two drafters of one name.
 */
export function speculative({ drafters, verifier, budget, schedule }: SpeculativeOptions): Decoder {
  const parts = readParts(drafters);
  const rule = verifier ?? (parts.some((part) => part.proposal === "sampled") ? rejection() : drawAndMatch());
  const limits = budget ?? fixedBudget();

  const requirements = (model: Model): Requirements =>
    mergeRequirements([
      { tree: true, gates: schedule !== undefined },
      rule.requirements?.(model) ?? {},
      ...parts.map((part) => part.requirements(model)),
    ]);
  return {
    name: `speculative(${parts.map((part) => part.name).join(", ")})`,
    schedule,
    requirements,
    unsupported: (model) => [
      ...parts.flatMap((part) => part.unsupported?.(model) ?? []),
      ...(schedule?.unsupported?.(model) ?? []),
    ],
    prepare: async (model, options) => {
      await Promise.all([rule, ...parts].map((part) => part.prepare?.(model, options)));
    },
    guarantee: () =>
      guaranteeOf([rule.guarantee(), ...(schedule === undefined ? [] : [schedule.guarantee()])]),
    start: (context) =>
      new SpeculativeDecoding({
        model: context.model,
        verifierName: rule.name,
        mayTime: rule.guarantee().level === "identical",
        requirements: requirements(context.model),
        drafts: startDrafts(parts, context),
        verification: rule.start(context.model),
        budgeting: limits.start(),
        startVerification: () => rule.start(context.model),
      }),
  };
}

function readParts(drafters: Drafter | readonly Drafter[]): readonly Drafter[] {
  const parts = Array.isArray(drafters) ? (drafters as readonly Drafter[]) : [drafters as Drafter];
  const names = parts.map((part) => part?.name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (parts.length === 0 || parts.includes(undefined as never)) {
    throw new DecodingError("INVALID_OPTION", {
      message: "speculative() got no drafter.",
      fix: "Pass at least one, speculative({ drafters: [drafter] }); plain() decodes without.",
    });
  }
  if (repeated !== undefined) {
    throw new DecodingError("INVALID_OPTION", {
      message: `speculative() got two drafters named ${repeated}.`,
      fix: "Pass each drafter once: counts in the report go by name.",
    });
  }
  return parts;
}

function startDrafts(
  parts: readonly Drafter[],
  { model, session, missingPrefix }: SequenceContext,
): DraftSet {
  return new DraftSet(
    parts,
    parts.map((part) => part.start({ model, session, missingPrefix })),
  );
}

interface SpeculativeState {
  readonly model: Model;
  readonly verifierName: string;
  /** Whether the text does not depend on what is drafted. */
  readonly mayTime: boolean;
  readonly requirements: Requirements;
  readonly drafts: DraftSet;
  readonly verification: Verification;
  readonly budgeting: Budgeting;
  readonly startVerification: () => Verification;
}

class SpeculativeDecoding implements Decoding {
  readonly #state: SpeculativeState;
  #prefillProbes: readonly (readonly number[])[] = [];

  constructor(state: SpeculativeState) {
    this.#state = state;
  }

  get prefillWants() {
    const { prefillTopK, prefillHidden } = this.#state.requirements;
    return { topK: prefillTopK, hidden: prefillHidden, ...(prefillTopK ? { logits: "all" as const } : {}) };
  }

  get needsPrefix() {
    return this.#state.drafts.needsPrefix;
  }

  async prefillProbes(lastToken: TokenId, lastRow: number, position: number): Promise<readonly RowInput[]> {
    const { drafts, model } = this.#state;
    const limit = Math.min(MOST_PROBES, model.contextLength - 1 - position);
    const { rows, byDrafter } = await drafts.probes(
      new TokenTree(lastToken),
      lastRow + 1,
      () => lastRow,
      limit,
    );
    this.#prefillProbes = byDrafter;
    return rows;
  }

  async observe(round: Round): Promise<void> {
    await this.#state.drafts.observe(round, round.next === undefined ? [] : this.#prefillProbes);
  }

  fork(session: Session): Decoding {
    const { drafts, budgeting, startVerification } = this.#state;
    return new SpeculativeDecoding({
      ...this.#state,
      drafts: drafts.fork(session),
      budgeting: budgeting.fork(),
      verification: startVerification(),
    });
  }

  truncate(length: number): void {
    this.#state.drafts.truncate(length);
  }

  explain(): readonly string[] {
    return this.#state.budgeting.explain?.() ?? [];
  }

  dispose(): void {
    this.#state.drafts.dispose();
  }

  async *steps(context: DecodeContext): AsyncGenerator<DecodeStep, void, undefined> {
    let { root, law, stop } = context;
    while (stop.finish === undefined) {
      const at = { ...context, root, law, stop };
      const { step, result } = await orRollBack(context.session, () => this.#round(at));
      ({ law, stop } = result);
      root = result.tokens.at(-1)!;
      this.#state.budgeting.observe(step);
      yield step;
    }
  }

  /** Draft, run, walk, observe, commit. */
  async #round(context: DecodeContext): Promise<{ step: DecodeStep; result: WalkResult }> {
    const { session, law, stop, random, layerPlan, signal, logProbabilities } = context;
    const { drafts, verification, verifierName, requirements } = this.#state;
    const position = session.tokens.length;

    const draftBegan = performance.now();
    const tree = await this.#draft(context, position);
    const depths = tree.nodes.map((node) => node.depth);
    const deepest = Math.max(...depths);
    const probes = await drafts.probes(
      tree,
      tree.nodes.length,
      (node) => node,
      Math.min(MOST_PROBES, this.#lastPosition(position, layerPlan) - position - deepest),
    );
    const draftMs = performance.now() - draftBegan;

    const rows = [...tree.nodes.map(({ token, parent }) => ({ token, parent })), ...probes.rows];
    const pass = await session.forward(rows, {
      logits: "all",
      argmax: law.isPlainGreedy,
      topK: requirements.topK,
      hidden: requirements.hidden,
      layers: layerPlan?.layersAt(position),
      signal,
    });

    const verifyBegan = performance.now();
    const result = await walk({
      tree,
      pass,
      position,
      law,
      stop,
      random,
      verification,
      verifierName,
      logProbabilities,
    });
    const verifyMs = performance.now() - verifyBegan;

    const observeBegan = performance.now();
    // The newest token is the next root: it stays out of the cache even where its row was run.
    const committed = [0, ...result.path.slice(0, result.tokens.length - 1)];
    await drafts.observe(
      {
        kind: "verify",
        pass,
        position,
        rowTokens: tree.nodes.map((node) => node.token),
        parents: tree.nodes.map((node) => node.parent),
        committed,
        next: result.tokens.at(-1),
      },
      probes.byDrafter,
    );
    session.commit(committed.map((row) => pass.rows[row]!));

    const step: DecodeStep = {
      tokens: result.tokens,
      sources: result.tokens.map((_, index) => tree.nodes[result.path[index] ?? 0]!.sources),
      logProbabilities: result.logProbabilities,
      drafted: tree.size,
      accepted: result.path.length,
      draftedDepth: deepest,
      rows: rows.length,
      bySource: countSources(tree, result.path),
      times: { draftMs: draftMs + performance.now() - observeBegan, passMs: pass.elapsedMs, verifyMs },
      tree,
      path: result.path,
      finish: result.finish,
    };
    return { step, result };
  }

  /** The round's tree: none for the last token; with no more nodes than positions are left, it cannot be too deep. */
  async #draft(
    { root, law, stop, random, layerPlan, signal }: DecodeContext,
    position: number,
  ): Promise<TokenTree> {
    const { model, drafts, budgeting, mayTime } = this.#state;
    const room = this.#lastPosition(position, layerPlan) - position;
    const depth = stop.remaining - 1;
    if (Math.min(depth, room) < 1) return drafts.sitOut(root);
    const budget = { drafters: drafts.drafters, model, context: position, room, mayTime };
    const trim =
      budgeting.trim && ((trees: readonly (TokenTree | undefined)[]) => budgeting.trim!(trees, budget));
    return drafts.propose(
      root,
      budgeting.split(budget),
      model.vocabularySize,
      { random, law, depth, layers: layerPlan?.layersAt(position), signal },
      trim,
    );
  }

  /** The last position a row of this round may stand at: the context's end, or the last one with the same layers. */
  #lastPosition(position: number, layerPlan: LayerPlan | undefined): number {
    const { contextLength } = this.#state.model;
    return Math.min(contextLength, layerPlan?.nextChange(position) ?? Number.POSITIVE_INFINITY) - 1;
  }
}

function countSources(tree: TokenTree, path: readonly number[]): Record<string, SourceCount> {
  const counts: Record<string, { drafted: number; accepted: number }> = {};
  tree.nodes.forEach(({ sources }, node) => {
    for (const source of sources) {
      counts[source] ??= { drafted: 0, accepted: 0 };
      counts[source].drafted++;
      if (path.includes(node)) counts[source].accepted++;
    }
  });
  return counts;
}
