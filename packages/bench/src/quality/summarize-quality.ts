import { bootstrapInterval, type Interval } from "../bootstrap.ts";
import { mean } from "../statistics.ts";
import { ALL_GROUPS } from "../summarize.ts";
import type { QualityMeasurement } from "./measure-quality.ts";

/** A figure and its 95 % bootstrap interval over tasks. */
export interface Estimate {
  readonly value: number;
  /** Tasks are drawn inside their groups; a group that is all right or all wrong gives an interval without width. */
  readonly interval: Interval;
}

/** Figures of one decoder on one group of tasks, or on all. */
export interface QualityRow {
  readonly decoder: string;
  /** A group, or {@link ALL_GROUPS}. */
  readonly group: string;
  readonly tasks: number;
  /** Mean score over tasks and seeds, in [0, 1]; over all groups each group counts the same. */
  readonly score: Estimate;
  /** Mean score minus the first decoder's, task by task. */
  readonly difference: Estimate;
  /** Share of answers with the first decoder's text. */
  readonly sameText: number;
  /** Draft tokens kept ÷ target passes. */
  readonly acceptedLength: number;
  /** Tokens behind the first ÷ target passes; plain decoding is 1. */
  readonly blockEfficiency: number;
  /** Tokens the target computed ÷ tokens behind the first; plain decoding is 1. */
  readonly rowsPerToken: number;
  /** Tokens of an answer, mean. */
  readonly tokens: number;
  /** The decoder's own counts, added up. */
  readonly counts?: Readonly<Record<string, number>>;
}

/**
 * Figures by decoder and group, in the order they came.
 * @param decoders - Their names; the first one is the reference.
 */
export function summarizeQuality(
  decoders: readonly string[],
  measurements: readonly QualityMeasurement[],
): readonly QualityRow[] {
  const groups = [...new Set(measurements.map(({ group }) => group))];
  const of = (decoder: string) => measurements.filter((one) => one.decoder === decoder);
  const reference = of(decoders[0]);
  return decoders.flatMap((decoder) => {
    const own = of(decoder);
    const row = (name: string, members: readonly string[]) =>
      qualityRow(decoder, name, members, own, reference);
    return [
      ...groups.map((group) => row(group, [group])),
      ...(groups.length > 1 ? [row(ALL_GROUPS, groups)] : []),
    ];
  });
}

function qualityRow(
  decoder: string,
  group: string,
  members: readonly string[],
  own: readonly QualityMeasurement[],
  reference: readonly QualityMeasurement[],
): QualityRow {
  const scores = members.map((member) => scoresByTask(own, member));
  const others = members.map((member) => scoresByTask(reference, member));
  const differences = scores.map((tasks, index) =>
    [...tasks].map(([task, score]) => score - others[index].get(task)!),
  );
  const answers = own.filter((one) => members.includes(one.group));
  const sum = (pick: (one: QualityMeasurement) => number) =>
    answers.reduce((total, one) => total + pick(one), 0);
  const passes = sum(({ targetPasses }) => targetPasses);
  const behindFirst = sum(({ tokens }) => Math.max(0, tokens - 1));
  const texts = new Map(reference.map((one) => [keyOf(one), one.answer]));
  return {
    decoder,
    group,
    tasks: scores.reduce((total, tasks) => total + tasks.size, 0),
    score: estimate(scores.map((tasks) => [...tasks.values()])),
    difference: estimate(differences),
    sameText: mean(answers.map((one) => (texts.get(keyOf(one)) === one.answer ? 1 : 0))),
    acceptedLength: sum(({ accepted }) => accepted) / passes,
    blockEfficiency: behindFirst / passes,
    rowsPerToken: sum(({ rows }) => rows) / behindFirst,
    tokens: mean(answers.map(({ tokens }) => tokens)),
    counts: addedCounts(answers),
  };
}

/** Mean over seeds, by task. */
function scoresByTask(measurements: readonly QualityMeasurement[], group: string): Map<string, number> {
  const bySeed = new Map<string, number[]>();
  for (const one of measurements) {
    if (one.group !== group) continue;
    bySeed.set(one.task, [...(bySeed.get(one.task) ?? []), one.score]);
  }
  return new Map([...bySeed].map(([task, scores]) => [task, mean(scores)]));
}

function estimate(valuesByGroup: readonly (readonly number[])[]): Estimate {
  return {
    value: meanOverGroups(valuesByGroup),
    interval: bootstrapInterval(valuesByGroup, meanOverGroups),
  };
}

function meanOverGroups(groups: readonly (readonly number[])[]): number {
  return mean(groups.map(mean));
}

function addedCounts(answers: readonly QualityMeasurement[]): Record<string, number> | undefined {
  const counted = answers.flatMap(({ counts }) => (counts === undefined ? [] : Object.entries(counts)));
  if (counted.length === 0) return undefined;
  const sums: Record<string, number> = {};
  for (const [name, count] of counted) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

function keyOf({ task, seed }: QualityMeasurement): string {
  return `${seed} ${task}`;
}
