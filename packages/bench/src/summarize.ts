import { bootstrapInterval, type Interval } from "./bootstrap.ts";
import type { Contestant } from "./contestant.ts";
import type { Measurement } from "./run-bench.ts";
import { geometricMean, median } from "./statistics.ts";

/** The group name of a contestant's figures over all groups. */
export const ALL_GROUPS = "all";

/** A ratio of speeds with its interval. */
export interface SpeedUp {
  /** Geometric mean over prompts of this contestant's tokens a second ÷ the other's on the same prompt. */
  readonly ratio: number;
  /** 95 % bootstrap interval over prompts; with one prompt a group it has no width. */
  readonly interval: Interval;
}

/** Figures of one contestant on one group, or on all of them. */
export interface SummaryRow {
  readonly contestant: string;
  /** A group, or {@link ALL_GROUPS}: geometric means over groups, except where a member says otherwise. */
  readonly group: string;
  readonly prompts: number;
  /** Over the first contestant of the run. */
  readonly speedUp: SpeedUp;
  /** Over its own baseline, when that is another one. */
  readonly ownSpeedUp?: SpeedUp;
  /** Tokens behind the first ÷ target passes, added up over the group. */
  readonly blockEfficiency?: number;
  /** Geometric mean over prompts. */
  readonly tokensPerSecond: number;
  /** Median over prompts, of all groups in the row of all. */
  readonly timeToFirstTokenMs: number;
  /** Share of prompts whose tokens equal the baseline's, of all groups in the row of all. */
  readonly identical: number;
  /** Share of the time behind the first token that was spent outside passes, added up. */
  readonly overhead?: number;
}

/** One contestant's answer to one prompt: medians over repeats. */
interface Outcome {
  readonly group: string;
  readonly tokens: readonly number[];
  readonly tokensPerSecond: number;
  readonly timeToFirstTokenMs: number;
  readonly targetPasses: number | undefined;
  readonly overheadMs: number | undefined;
}

/**
 * Figures by contestant and group, contestants and groups in the order they came. Speed ratios are paired by prompt;
 * answers of fewer than two tokens have no speed and count for everything else.
 */
export function summarize(
  contestants: readonly Pick<Contestant, "name" | "baseline">[],
  measurements: readonly Measurement[],
): readonly SummaryRow[] {
  const outcomes = new Map(contestants.map(({ name }) => [name, outcomesOf(name, measurements)]));
  const groups = [...new Set(measurements.map(({ group }) => group))];
  const reference = contestants[0]!.name;
  return contestants.flatMap(({ name, baseline = reference }) => {
    const own = outcomes.get(name)!;
    const row = (group: string, members: readonly string[]): SummaryRow => {
      const chosen = [...own].filter(([, outcome]) => members.includes(outcome.group));
      const values = chosen.map(([, outcome]) => outcome);
      const ratios = (other: string) => members.map((member) => ratiosOf(own, outcomes.get(other)!, member));
      const speeds = members.map((member) => speedsOf(own, member));
      return {
        contestant: name,
        group,
        prompts: chosen.length,
        speedUp: speedUpOf(ratios(reference)),
        ownSpeedUp: baseline === reference ? undefined : speedUpOf(ratios(baseline)),
        blockEfficiency: blockEfficiency(
          members.map((member) => values.filter((one) => one.group === member)),
        ),
        tokensPerSecond: meanOverGroups(speeds),
        timeToFirstTokenMs: median(values.map((outcome) => outcome.timeToFirstTokenMs)),
        identical:
          chosen.filter(([prompt, { tokens }]) => isSame(tokens, outcomes.get(baseline)!.get(prompt)?.tokens))
            .length / chosen.length,
        overhead: overheadShare(values),
      };
    };
    return [
      ...groups.map((group) => row(group, [group])),
      ...(groups.length > 1 ? [row(ALL_GROUPS, groups)] : []),
    ];
  });
}

/** By prompt id. */
function outcomesOf(contestant: string, measurements: readonly Measurement[]): Map<string, Outcome> {
  const byPrompt = new Map<string, Measurement[]>();
  for (const measurement of measurements) {
    if (measurement.contestant !== contestant) continue;
    const list = byPrompt.get(measurement.prompt);
    if (list === undefined) byPrompt.set(measurement.prompt, [measurement]);
    else list.push(measurement);
  }
  return new Map(
    [...byPrompt].map(([prompt, repeats]) => {
      const { group, tokens, targetPasses } = repeats[0]!;
      const { overheadMs } = repeats[0]!;
      return [
        prompt,
        {
          group,
          tokens,
          targetPasses,
          tokensPerSecond: median(repeats.map((one) => one.tokensPerSecond)),
          timeToFirstTokenMs: median(repeats.map((one) => one.timeToFirstTokenMs)),
          overheadMs: overheadMs === undefined ? undefined : median(repeats.map((one) => one.overheadMs!)),
        },
      ];
    }),
  );
}

function ratiosOf(own: Map<string, Outcome>, other: Map<string, Outcome>, group: string): number[] {
  return [...own].flatMap(([prompt, outcome]) => {
    const pair = other.get(prompt);
    if (outcome.group !== group || pair === undefined) return [];
    const ratio = outcome.tokensPerSecond / pair.tokensPerSecond;
    return Number.isFinite(ratio) && ratio > 0 ? [ratio] : [];
  });
}

function speedsOf(own: Map<string, Outcome>, group: string): number[] {
  return [...own.values()].flatMap((one) =>
    one.group === group && one.tokensPerSecond > 0 ? [one.tokensPerSecond] : [],
  );
}

function speedUpOf(ratiosByGroup: readonly (readonly number[])[]): SpeedUp {
  const measured = ratiosByGroup.filter((ratios) => ratios.length > 0);
  return { ratio: meanOverGroups(measured), interval: bootstrapInterval(measured, meanOverGroups) };
}

function meanOverGroups(groups: readonly (readonly number[])[]): number {
  return geometricMean(groups.filter((values) => values.length > 0).map(geometricMean));
}

function blockEfficiency(groups: readonly (readonly Outcome[])[]): number | undefined {
  if (groups.some((group) => group.some(({ targetPasses }) => targetPasses === undefined))) return undefined;
  const efficiencies = groups.map((group) => {
    const passes = group.reduce((sum, { targetPasses }) => sum + targetPasses!, 0);
    return group.reduce((sum, { tokens }) => sum + Math.max(0, tokens.length - 1), 0) / passes;
  });
  return geometricMean(efficiencies.filter((value) => Number.isFinite(value)));
}

function overheadShare(outcomes: readonly Outcome[]): number | undefined {
  if (outcomes.some(({ overheadMs }) => overheadMs === undefined)) return undefined;
  const fast = outcomes.filter(({ tokensPerSecond }) => tokensPerSecond > 0);
  const total = fast.reduce((sum, one) => sum + ((one.tokens.length - 1) * 1000) / one.tokensPerSecond, 0);
  return fast.reduce((sum, { overheadMs }) => sum + overheadMs!, 0) / total;
}

function isSame(tokens: readonly number[], others: readonly number[] | undefined): boolean {
  return (
    others !== undefined && tokens.length === others.length && tokens.every((token, i) => token === others[i])
  );
}
