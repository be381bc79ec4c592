import {
  type DraftContext,
  type Drafter,
  type Drafting,
  type Model,
  type Pass,
  type Probe,
  type ProposeContext,
  type Requirements,
  type Round,
  type RowInput,
  type Session,
  type TokenId,
  type TokenTree,
  type TopK,
  topK,
} from "@foretoken/core";

/** What the probes behind the newest token say: entry `i` are the best candidates of probe `i + 1`, for depth `i + 1` of the next tree. */
export type Guesses = readonly TopK[];

/** Where rows are spent: on which guesses, and on probes under which nodes. Holds no state of a sequence. */
export interface ProbePlan {
  /** The tree of a round; chosen nodes only. */
  tree(
    root: TokenId,
    guesses: Guesses,
    limits: { readonly nodes: number; readonly depth: number },
  ): TokenTree;
  /** Steps of the probe chain under each node of a tree, `[nodes]`, which may be merged with other drafters' trees. */
  chains(tree: TokenTree, guesses: Guesses): readonly number[];
  /** Most probe rows of a round whose tree has so many nodes. */
  mostProbes(nodes: number): number;
}

/** Sizes of probe chains. */
export interface ProbeShape {
  /** `n`: steps of the longest chain. */
  readonly steps: number;
  /** Rows of one step, whose guesses are averaged; each copy is a chain of its own. Default 1. */
  readonly copies?: number;
}

/** Options of {@link probeDrafter}. */
export interface ProbeDrafterOptions {
  readonly name: string;
  /** Candidates that are read of each step. */
  readonly ranks: number;
  /** Asked for once the drafter was prepared, as are `probe` and `plan`. */
  shape(): ProbeShape;
  /** What a probe feeds: step from 1, copy from 0. */
  probe(step: number, copy: number, model: Model): Omit<RowInput, "parent">;
  plan(model: Model): ProbePlan;
  /** What the probes need of the model, besides that they are rows. */
  requirements?(model: Model): Requirements;
  unsupported?(model: Model): readonly string[];
  prepare?: Drafter["prepare"];
}

/** Nodes at most: the plan knows better, and this is more than any has. */
const MOST_NODES = 64;
/** Length of a text whose passes probes are priced at. */
export const USUAL_CONTEXT = 256;

/**
 * Drafts from probe rows: rows that stand for tokens to come, run along with the pass that verifies the last draft. Under each node of a
 * tree hangs a chain of them, so that whichever node turns out to be the last one accepted has guesses for the next round.
 *
 * ```
 * pass:   … root ─┬─ a ─┬─ b        text behind it:  … root a │ next root
 *                 │     └─ ∘ ∘      guesses:                  │ those of the probes under a
 *                 └─ ∘ ∘ ∘
 * ```
 *
 * Probes see real rows and no real row sees a probe, so the text is the target's own whatever they feed.
 */
export function probeDrafter(options: ProbeDrafterOptions): Drafter {
  const { name, ranks, requirements, unsupported, prepare } = options;
  const plans = new WeakMap<Model, ProbePlan>();
  const planFor = (model: Model): ProbePlan => {
    const plan = plans.get(model) ?? options.plan(model);
    plans.set(model, plan);
    return plan;
  };
  return {
    name,
    proposal: "deterministic",
    defaultLimit: MOST_NODES,
    requirements: (model) => ({
      ...requirements?.(model),
      embeddings: true,
      topK: ranks,
    }),
    unsupported: (model) => unsupported?.(model) ?? [],
    prepare,
    cost: (model, nodes) => {
      const ms = (rows: number) => model.cost.ms(rows, USUAL_CONTEXT);
      return (ms(1 + nodes + planFor(model).mostProbes(nodes)) - ms(1 + nodes)) / ms(1);
    },
    start: ({ model, session }: DraftContext) => new ProbeDrafting(options, model, planFor(model), session),
  };
}

/** A probe of the pass under way. */
interface PlacedProbe {
  /** The tree node that its chain hangs under. */
  readonly node: number;
  readonly step: number;
}

class ProbeDrafting implements Drafting {
  readonly #options: ProbeDrafterOptions;
  readonly #model: Model;
  readonly #plan: ProbePlan;
  readonly #session: Session;
  #guesses: Guesses;
  /** Length of the text that the guesses follow, without the root. */
  #length: number;
  #placed: readonly PlacedProbe[] = [];

  constructor(
    options: ProbeDrafterOptions,
    model: Model,
    plan: ProbePlan,
    session: Session,
    guesses: Guesses = [],
    length = 0,
  ) {
    this.#options = options;
    this.#model = model;
    this.#plan = plan;
    this.#session = session;
    this.#guesses = guesses;
    this.#length = length;
  }

  propose(root: TokenId, limit: number, { depth = Number.POSITIVE_INFINITY }: ProposeContext): TokenTree {
    if (this.#session.tokens.length !== this.#length) this.#guesses = [];
    return this.#plan.tree(root, this.#guesses, { nodes: limit, depth });
  }

  probes(tree: TokenTree, limit: number): readonly Probe[] {
    const { copies = 1 } = this.#options.shape();
    const rows: Probe[] = [];
    const placed: PlacedProbe[] = [];
    for (const [node, steps] of this.#plan.chains(tree, this.#guesses).entries()) {
      for (let copy = 0; copy < copies; copy++) {
        for (let step = 1; step <= steps && rows.length < limit; step++) {
          const row = this.#options.probe(step, copy, this.#model);
          rows.push({ node: step === 1 ? node : undefined, row });
          placed.push({ node, step });
        }
      }
    }
    this.#placed = placed;
    return rows;
  }

  /** Keeps what the probes under the last row of the text say. */
  async observe({ kind, pass, position, committed, next, probes }: Round): Promise<void> {
    const placed = this.#placed;
    this.#placed = [];
    this.#guesses = [];
    this.#length = position + committed.length;
    if (next === undefined) return;
    const last = kind === "prefill" ? 0 : committed.at(-1)!;
    const { steps, copies = 1 } = this.#options.shape();
    const guesses: TopK[] = [];
    for (let step = 1; step <= steps; step++) {
      const rows = probes.filter((_, index) => placed[index]!.node === last && placed[index]!.step === step);
      if (rows.length < copies) break;
      guesses.push(await guessOf(pass, rows, this.#options.ranks));
    }
    this.#guesses = guesses;
  }

  fork(session: Session): Drafting {
    return new ProbeDrafting(this.#options, this.#model, this.#plan, session, this.#guesses, this.#length);
  }

  /** Guesses follow the newest token, so any cut ends them. */
  truncate(length: number): void {
    if (length < this.#length) this.#guesses = [];
  }

  dispose(): void {}
}

/** The best candidates of one step: those of its row, or of the mean of its copies' logits. */
async function guessOf(pass: Pass, rows: readonly number[], ranks: number): Promise<TopK> {
  if (rows.length === 1) return pass.topK(rows[0]!, ranks);
  const logits = await Promise.all(rows.map((row) => pass.logits(row)));
  return topK(
    logits[0]!.map((_, token) => logits.reduce((sum, row) => sum + row[token]!, 0) / rows.length),
    ranks,
  );
}
