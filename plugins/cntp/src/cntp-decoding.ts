import type {
  DecodeContext,
  DecodeStep,
  Decoding,
  LawState,
  Random,
  Round,
  RowInput,
  Session,
  StopState,
  TokenId,
} from "@foretoken/core";
import { type Decided, LawWatch } from "./law-watch.ts";
import { joinPasses, keepTokens, passesOf, shareTime } from "./passes.ts";
import { type RunTrials, runInTurn, runTogether } from "./run-trials.ts";
import { releaseTrial, runTrial, surpriseOf, type Trial, type TrialStart } from "./trial.ts";
import { type TrialCountRule, trialCount } from "./trial-count.ts";
import type { TrialEnd } from "./trial-stop.ts";
import { TrialTally } from "./trial-tally.ts";
import type { TrialsReport } from "./trials-report.ts";

/** The options as they hold for one model. */
export interface CntpRule extends TrialCountRule, TrialEnd {
  readonly execution: "forest" | "sequential";
  readonly exploreTemperature?: number;
  readonly onTrials?: (report: TrialsReport) => void;
}

/** What is known of a token: how unsure its law was, and how the trials at its place begin, where there are any. */
interface Doubt {
  readonly entropy: number;
  /** Empty where the token stays. */
  readonly starts: readonly TrialStart[];
}

/** The law and stop states behind a token. */
interface States {
  readonly law: LawState;
  readonly stop: StopState;
}

/** Where a text stands between two steps: its root, and the states behind it. */
interface Place extends States {
  readonly root: TokenId;
}

/** A place of doubt, with everything behind it taken back: session and decoding end before the token in doubt. */
interface DoubtedPlace extends Doubt, States {
  /** The session's length when the last step ended, to go back to when trials fail. */
  readonly begin: number;
  /** Index in the text of the token in doubt. */
  readonly position: number;
  /** The passes that led there from the last step, and how many of their tokens stay. */
  readonly passes: readonly DecodeStep[];
  readonly sure: number;
}

/** One text between its inner decoder and its trials. */
export class CntpDecoding implements Decoding {
  #inner: Decoding;
  readonly #rule: CntpRule;
  #tally = new TrialTally();

  constructor(inner: Decoding, rule: CntpRule) {
    this.#inner = inner;
    this.#rule = rule;
  }

  get prefillWants() {
    return this.#inner.prefillWants;
  }

  get needsPrefix() {
    return this.#inner.needsPrefix;
  }

  async prefillProbes(lastToken: TokenId, lastRow: number, position: number): Promise<readonly RowInput[]> {
    return (await this.#inner.prefillProbes?.(lastToken, lastRow, position)) ?? [];
  }

  observe(round: Round): Promise<void> {
    return this.#inner.observe(round);
  }

  explain(): readonly string[] {
    return [...this.#tally.explain(), ...(this.#inner.explain?.() ?? [])];
  }

  fork(session: Session): Decoding {
    return new CntpDecoding(this.#inner.fork(session), this.#rule);
  }

  truncate(length: number): void {
    this.#inner.truncate(length);
  }

  dispose(): void {
    this.#inner.dispose();
  }

  async *steps(context: DecodeContext): AsyncGenerator<DecodeStep, void, undefined> {
    this.#tally = new TrialTally();
    if (context.law.isPlainGreedy && this.#rule.exploreTemperature === undefined) {
      // Laws of one token have no entropy.
      yield* this.#inner.steps(context);
      return;
    }
    let place: Place = context;
    while (place.stop.finish === undefined) {
      const doubted = yield* this.#untilDoubt({ ...context, ...place });
      if (doubted === undefined) return;
      const ended = await this.#try(context, doubted).catch((error) => {
        this.#takeBack(context.session, doubted.begin);
        throw error;
      });
      const committed = this.#commit(context, doubted, ended);
      yield committed.step;
      place = committed.place;
    }
  }

  /** Lets the inner decoder go on until a token's law calls for trials, and takes back that token and what follows it. */
  async *#untilDoubt(
    context: DecodeContext,
  ): AsyncGenerator<DecodeStep, DoubtedPlace | undefined, undefined> {
    const { session, random, logProbabilities } = context;
    const isReported = logProbabilities !== undefined;
    const watch = new LawWatch<Doubt>({
      logProbabilities,
      temperature: this.#rule.exploreTemperature,
      isDrawn: false,
      note: (decided) => this.#doubt(decided, random),
    });
    let states: States = context;
    let begin = session.tokens.length;
    const steps = this.#inner.steps({
      ...context,
      law: watch.over(context.law),
      logProbabilities: logProbabilities ?? 0,
    });
    for await (const step of steps) {
      const notes = watch.notes(step);
      const first = notes.findIndex(({ starts }) => starts.length > 0);
      const sure = first === -1 ? step.tokens.length : first;
      this.#tally.sure(sure);
      states = behind(step.tokens.slice(0, sure), states);
      if (first !== -1) {
        const position = begin + 1 + sure;
        this.#takeBack(session, position);
        const { law, stop } = states;
        return { ...notes[first]!, begin, position, law, stop, passes: passesOf(step, isReported), sure };
      }
      begin = session.tokens.length;
      yield isReported ? step : { ...step, logProbabilities: undefined };
    }
    return undefined;
  }

  /** Measures the law of a token, and draws how trials begin while its row can be read. */
  async #doubt({ law, position, report }: Decided, random: Random): Promise<Doubt> {
    const entropy = law.entropy();
    const starts: TrialStart[] = [];
    const count = trialCount(entropy, this.#rule);
    for (let trial = 0; count > 1 && trial < count; trial++) {
      const own = random.fork(position, trial);
      const token = law.draw(own.uniform(position, "token"));
      const surprise = surpriseOf(law, token);
      starts.push({ token, surprise, random: own, logProbability: await report(token) });
    }
    return { entropy, starts };
  }

  async #try(context: DecodeContext, doubted: DoubtedPlace): Promise<TimedTrials> {
    const { execution, exploreTemperature: temperature } = this.#rule;
    const { layerPlan, logProbabilities, signal } = context;
    const asked = { layerPlan, logProbabilities };
    const ground = {
      ...doubted,
      ...asked,
      session: context.session,
      decoding: this.#inner,
      end: this.#rule,
      temperature,
    };
    const run = execution === "forest" ? runTogether : runInTurn;
    const began = performance.now();
    const ended = await run(
      doubted.starts.length,
      (trial, stopped) => runTrial(doubted.starts[trial]!, ground, stopped),
      signal,
    );
    return { ...ended, elapsedMs: performance.now() - began };
  }

  /** Makes the kept trial text. */
  #commit(
    { session, logProbabilities }: DecodeContext,
    doubted: DoubtedPlace,
    { trials, kept, elapsedMs }: TimedTrials,
  ): { readonly step: DecodeStep; readonly place: Place } {
    const winner = trials[kept]!;
    this.#adopt(session, winner);
    const outcomes = trials.map(({ tokens, meanSurprise }) => ({ tokens, meanSurprise }));
    const report = { position: doubted.position, entropy: doubted.entropy, trials: outcomes, kept };
    this.#tally.doubted(report);
    this.#rule.onTrials?.(report);

    const states = behind(winner.tokens, doubted);
    const { token, logProbability } = doubted.starts[kept]!;
    const own = { token, logProbability: logProbabilities === undefined ? undefined : logProbability };
    const dropped = trials.filter((trial) => trial !== winner);
    const passes = [
      ...keepTokens(doubted.passes, doubted.sure, own),
      ...shareTime([...dropped.flatMap((trial) => keepTokens(trial.passes, 0)), ...winner.passes], elapsedMs),
    ];
    return {
      step: joinPasses(passes, states.stop.finish),
      place: { root: winner.tokens.at(-1)!, ...states },
    };
  }

  /** Takes over the winner's text, and its decoder's state for the session itself. */
  #adopt(session: Session, winner: Trial): void {
    // A trial of one token ran nothing: its token is the next root.
    if (winner.branch === undefined) return;
    session.adopt(winner.branch.session);
    const before = this.#inner;
    this.#inner = winner.branch.decoding.fork(session);
    before.dispose();
    releaseTrial(winner);
  }

  /** Forgets the text behind so many tokens, unless the session is gone. */
  #takeBack(session: Session, length: number): void {
    if (session.isDisposed) return;
    session.truncate(length);
    this.#inner.truncate(length);
  }
}

/** The states behind some more tokens; no law is made behind the end of an answer. */
function behind(tokens: readonly TokenId[], { law, stop }: States): States {
  for (const token of tokens) {
    stop = stop.advance(token);
    if (stop.finish === undefined) law = law.advance(token);
  }
  return { law, stop };
}

/** Trials, and how long they took together. */
type TimedTrials = RunTrials & { readonly elapsedMs: number };
