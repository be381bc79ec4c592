import { AcceptanceRecord } from "./acceptance-record.ts";
import type { Budget, BudgetContext, Budgeting } from "./budget.ts";
import { chooseNodes } from "./choose-nodes.ts";
import type { DecodeStep } from "./decoder.ts";
import type { Drafter } from "./drafter.ts";
import { DecodingError } from "./errors.ts";
import type { Model } from "./model.ts";
import { RowPrices } from "./row-prices.ts";
import type { TokenTree } from "./token-tree.ts";

/** Options of {@link autoBudget}. */
export interface AutoBudgetOptions {
  /** Most nodes that one drafter is asked for in a round. Default 16. */
  readonly nodes?: number;
}

/**
 * As many nodes as are worth their rows, down to none: a node is verified when the chance that it becomes text, by what the
 * drafter's nodes became so far, outweighs what its row costs, by the model's cost curve. Trees that are drawn must be verified
 * whole, so for them the size is settled before; one that is not worth drawing is tried again now and then.
 *
 * Where the verifier promises the identical text whatever is drafted, passes are timed too, so that a curve of another machine does no
 * harm, and what the answer before taught about prices and about drafters that cost more than rows is where the next one begins. Elsewhere
 * the answer's history and the curve decide, never a clock: the same seed gives the same text again.
 *
 * @throws `INVALID_OPTION`
 */
export function autoBudget({ nodes = 16 }: AutoBudgetOptions = {}): Budget {
  if (!Number.isInteger(nodes) || nodes < 1) {
    throw new DecodingError("INVALID_OPTION", {
      message: `nodes of the auto budget is ${nodes}, but must be a whole number of at least 1.`,
      fix: "Leave it out for 16, or decode with plain() for no drafts at all.",
    });
  }
  const latest: Latest = new WeakMap();
  return { name: "auto", start: () => new AutoBudgeting(nodes, latest) };
}

/** The answer that began last with a model. */
type Latest = WeakMap<Model, AutoBudgeting>;

/** A round that is so many rounds old counts half in the rate at which passes turn into tokens. */
const DECAY = 0.5 ** (1 / 64);
/** Assumed chance of the first node of a drawn tree: high, so that every drafter is tried. */
const DRAWN_PRIOR = 0.8;
/** Assumed chance of a node of a drawn tree, when that of the node before it is known. */
const NEXT_PRIOR = 0.9;
/** Rounds until a drafter that was not worth drawing is tried again; each time twice as many, up to the most. */
const FIRST_WAIT = 8;
const LONGEST_WAIT = 128;
/** Rounds of a chosen tree that was not worth a row, after which it is asked for in one of so many rounds only: proposing takes time too. */
const PATIENCE = 16;
const SELDOM = 4;
/** The same of one whose proposals cost more than rows, such as probes. */
const COSTLY_PATIENCE = 4;
/** Trees that old experience may weigh against a try. */
const REMEMBERED = 8;

/** Waits of a drafter that pays, or was not tried yet. */
const RESTED = { rest: FIRST_WAIT, wait: 2 * FIRST_WAIT };

/** What is remembered of one drafter. */
interface DrafterState {
  readonly name: string;
  readonly record: AcceptanceRecord;
  /** Nodes drafted, verified, and accepted. */
  offered: number;
  kept: number;
  accepted: number;
  /** Rounds since nodes of its were verified. */
  idle: number;
  /** Rounds until the next try, where it is not worth drawing or probing, and until the one behind that. */
  rest: number;
  wait: number;
}

class AutoBudgeting implements Budgeting {
  readonly #nodes: number;
  #drafters: DrafterState[];
  /** Rows in the cache when the next round begins. */
  #position = -1;
  /** Tokens of the rounds so far, and what those cost in passes of one row; old ones count less. */
  #tokens = 0;
  #passes = 0;
  #rounds = 0;
  #plainRounds = 0;
  #context: BudgetContext | undefined;
  readonly #latest: Latest;
  #prices: RowPrices;

  constructor(nodes: number, latest: Latest, drafters: DrafterState[] = [], prices = new RowPrices()) {
    this.#nodes = nodes;
    this.#latest = latest;
    this.#drafters = drafters;
    this.#prices = prices;
  }

  split(context: BudgetContext): readonly number[] {
    const { drafters, room } = context;
    if (this.#context === undefined) this.#begin(context);
    if (this.#position !== context.context) for (const { record } of this.#drafters) record.forgetOpen();
    this.#position = context.context;
    this.#context = context;
    const most = Math.min(room, this.#nodes);
    return drafters.map((drafter, index) =>
      drafter.proposal === "sampled"
        ? this.#worthDrawing(index, Math.min(most, drafter.defaultLimit), context)
        : this.#worthAsking(index, drafter)
          ? most
          : 0,
    );
  }

  trim(trees: readonly (TokenTree | undefined)[], context: BudgetContext): readonly number[] {
    const rate = this.#rate;
    const price = this.#pricesIn(context);
    const kept = chooseNodes({
      trees,
      isWhole: context.drafters.map(({ proposal }) => proposal === "sampled"),
      chanceOf: (tree, node) => this.#drafters[tree]!.record.chanceOf(trees[tree]!, node),
      price: (nodes, taken) => rate * (price(nodes) + this.#probing(taken, context)),
    });
    for (const [index, state] of this.#drafters.entries()) {
      const tree = trees[index];
      if (tree === undefined) continue;
      state.record.drafted(tree);
      state.offered += tree.size;
      state.kept += kept[index]!;
      if (kept[index]! === 0) continue;
      state.idle = 0;
      // A drawn tree is always kept, worth its rows or not.
      if (context.drafters[index]!.proposal === "deterministic") Object.assign(state, RESTED);
    }
    return kept;
  }

  observe({ tokens, rows, bySource, times }: DecodeStep): void {
    for (const state of this.#drafters) {
      state.record.wrote(tokens);
      state.idle++;
      state.accepted += bySource[state.name]?.accepted ?? 0;
    }
    this.#rounds++;
    if (rows === 1) this.#plainRounds++;
    this.#position += tokens.length;
    if (this.#context === undefined) return;
    const { model, context, mayTime } = this.#context;
    if (mayTime) this.#prices.timed(rows, times.passMs, model, context);
    this.#tokens = this.#tokens * DECAY + tokens.length;
    this.#passes = this.#passes * DECAY + 1 + this.#pricesIn(this.#context)(rows - 1);
  }

  explain(): readonly string[] {
    if (this.#context === undefined) return [];
    const { model, mayTime } = this.#context;
    const price = this.#pricesIn(this.#context);
    const prices = [2, 4, 8].map((rows) => (1 + price(rows - 1)).toFixed(2));
    const assumed = mayTime
      ? "; assumed, and corrected by passes that were timed"
      : "; assumed, not measured on this machine";
    return [
      `${this.#plainRounds} of ${this.#rounds} passes verified nothing`,
      ...this.#drafters.map(
        ({ name, offered, kept, accepted }) =>
          `${name}: ${kept} of ${offered} drafted nodes were worth a row, ${accepted} became text`,
      ),
      `passes of 2, 4 and 8 rows cost ${prices.join(", ")} passes of one row` +
        (model.cost.isMeasured ? "" : assumed),
    ];
  }

  fork(): Budgeting {
    const states = this.#drafters.map((state) => ({ ...state, record: state.record.fork() }));
    const copy = new AutoBudgeting(this.#nodes, this.#latest, states, this.#prices.fork());
    copy.#position = this.#position;
    copy.#tokens = this.#tokens;
    copy.#passes = this.#passes;
    copy.#rounds = this.#rounds;
    copy.#plainRounds = this.#plainRounds;
    copy.#context = this.#context;
    return copy;
  }

  /** Prices, and what costly drafters are worth, do not change with the text as much as what tables are worth. */
  #begin({ drafters, model, mayTime }: BudgetContext): void {
    const before = mayTime ? this.#latest.get(model) : undefined;
    if (before !== undefined) this.#prices = before.#prices.fork();
    const known = before === undefined ? [] : before.#drafters;
    this.#drafters = drafters.map(({ name, cost }) => {
      const state = cost === undefined ? undefined : known.find((one) => one.name === name);
      return state === undefined ? newState(name) : nextState(state);
    });
    if (mayTime) this.#latest.set(model, this);
  }

  /** Tokens that the time of a pass of one row is worth: what it gave lately, and at least plain decoding's. */
  get #rate(): number {
    return this.#passes === 0 ? 1 : Math.max(1, this.#tokens / this.#passes);
  }

  #pricesIn({ model, context }: BudgetContext): (nodes: number) => number {
    return this.#prices.at(model, context);
  }

  /** What chosen trees cost besides their nodes, such as probes under them; what was drawn was priced before. */
  #probing(taken: readonly number[], { drafters, model }: BudgetContext): number {
    return drafters.reduce((sum, drafter, index) => {
      const nodes = drafter.proposal === "sampled" ? 0 : taken[index]!;
      return nodes === 0 ? sum : sum + (drafter.cost?.(model, nodes) ?? 0);
    }, 0);
  }

  /** Tries go over two rounds: what a drafter probes in one it proposes in the next. Costly ones are tried ever more seldom. */
  #worthAsking(index: number, { cost }: Drafter): boolean {
    const state = this.#drafters[index]!;
    if (cost === undefined) return state.idle < PATIENCE || this.#rounds % (2 * SELDOM) < 2;
    if (state.idle < COSTLY_PATIENCE) return true;
    if (state.rest-- > 0) return false;
    const isFirst = state.rest === -1;
    if (isFirst) state.record.shorten(REMEMBERED);
    else this.#restLonger(state);
    return true;
  }

  #restLonger(state: DrafterState): void {
    state.rest = state.wait;
    state.wait = Math.min(LONGEST_WAIT, 2 * state.wait);
  }

  /** Nodes of a tree that has to be drawn before anything is known about it. */
  #worthDrawing(index: number, most: number, context: BudgetContext): number {
    const state = this.#drafters[index]!;
    const drafter = context.drafters[index]!;
    let best = 0;
    let nodes = 0;
    let tokens = 0;
    let chance = DRAWN_PRIOR / NEXT_PRIOR;
    const price = this.#pricesIn(context);
    for (let count = 1; count <= most; count++) {
      chance = state.record.chanceAt(count, chance * NEXT_PRIOR);
      tokens += chance;
      const passes = price(count) + (drafter.cost?.(context.model, count) ?? 0);
      if (tokens - this.#rate * passes <= best) continue;
      best = tokens - this.#rate * passes;
      nodes = count;
    }
    if (nodes > 0) {
      state.rest = 0;
      state.wait = FIRST_WAIT;
      return nodes;
    }
    if (state.rest-- > 0) return 0;
    this.#restLonger(state);
    state.record.shorten(REMEMBERED);
    return most;
  }
}

const newState = (name: string): DrafterState => ({
  name,
  record: new AcceptanceRecord(),
  offered: 0,
  kept: 0,
  accepted: 0,
  idle: 0,
  ...RESTED,
});

/** For the next answer: waits go on, and old experience counts for a few trees. */
function nextState(state: DrafterState): DrafterState {
  const { name, rest, wait, idle } = state;
  const record = state.record.fork();
  record.forgetOpen();
  record.shorten(REMEMBERED);
  return { ...newState(name), record, rest, wait, idle };
}
