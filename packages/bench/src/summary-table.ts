import { ALL_GROUPS, type SpeedUp, type SummaryRow } from "./summarize.ts";
import { textTable } from "./text-table.ts";

/**
 * Two tables: speed-ups by contestant and group with their intervals, and every figure in full. Losing cases stand in
 * both like all others.
 */
export function summaryTable(summary: readonly SummaryRow[]): string {
  return `${speedUpTable(summary)}\n\n${detailTable(summary)}`;
}

function speedUpTable(summary: readonly SummaryRow[]): string {
  const groups = [...new Set(summary.map(({ group }) => group))];
  const names = [...new Set(summary.map(({ contestant }) => contestant))];
  const cell = (contestant: string, group: string) =>
    ratio(summary.find((row) => row.contestant === contestant && row.group === group)?.speedUp);
  return textTable(
    [{ title: `speed-up over ${names[0]}` }, ...groups.map((group) => ({ title: groupTitle(group) }))],
    names.map((name) => [name, ...groups.map((group) => cell(name, group))]),
  );
}

function detailTable(summary: readonly SummaryRow[]): string {
  const hasPeers = summary.some(({ ownSpeedUp }) => ownSpeedUp !== undefined);
  return textTable(
    [
      { title: "decoder" },
      { title: "group", align: "left" },
      { title: "prompts" },
      { title: "speed-up [95 %]" },
      ...(hasPeers ? [{ title: "over own plain [95 %]" }] : []),
      { title: "tokens/pass" },
      { title: "tokens/s" },
      { title: "first token" },
      { title: "identical" },
      { title: "overhead" },
    ],
    summary.map((row) => [
      row.contestant,
      groupTitle(row.group),
      String(row.prompts),
      withInterval(row.speedUp),
      ...(hasPeers ? [row.ownSpeedUp === undefined ? "" : withInterval(row.ownSpeedUp)] : []),
      number(row.blockEfficiency, 2),
      number(row.tokensPerSecond, 1),
      `${number(row.timeToFirstTokenMs, 0)} ms`,
      percent(row.identical, 0),
      row.overhead === undefined ? "–" : percent(row.overhead, 1),
    ]),
  );
}

function groupTitle(group: string): string {
  return group === ALL_GROUPS ? "geometric mean" : group;
}

function withInterval(speedUp: SpeedUp): string {
  const [low, high] = speedUp.interval;
  return `${ratio(speedUp)} [${number(low, 2)}, ${number(high, 2)}]`;
}

function ratio(speedUp: SpeedUp | undefined): string {
  return number(speedUp?.ratio, 2);
}

function percent(share: number, digits: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : "–";
}

function number(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);
}
