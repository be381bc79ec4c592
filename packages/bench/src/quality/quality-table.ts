import { ALL_GROUPS } from "../summarize.ts";
import { textTable } from "../text-table.ts";
import type { Estimate, QualityRow } from "./summarize-quality.ts";

/** Scores by decoder and group with their intervals, and what the answers cost. */
export function qualityTable(summary: readonly QualityRow[]): string {
  const hasCounts = summary.some(({ counts }) => counts !== undefined);
  return textTable(
    [
      { title: "decoder" },
      { title: "tasks", align: "left" },
      { title: "" },
      { title: "right [95 %]" },
      { title: "against plain [95 %]" },
      { title: "same text" },
      { title: "accepted/pass" },
      { title: "tokens/pass" },
      { title: "computed/token" },
      { title: "tokens" },
      ...(hasCounts ? [{ title: "counts", align: "left" as const }] : []),
    ],
    summary.map((row) => [
      row.decoder,
      row.group === ALL_GROUPS ? "mean" : row.group,
      String(row.tasks),
      points(row.score),
      points(row.difference, true),
      `${(row.sameText * 100).toFixed(0)} %`,
      fixed(row.acceptedLength, 2),
      fixed(row.blockEfficiency, 2),
      fixed(row.rowsPerToken, 2),
      fixed(row.tokens, 1),
      ...(hasCounts ? [countsText(row.counts ?? {})] : []),
    ]),
  );
}

/** In percent. */
function points({ value, interval: [low, high] }: Estimate, isSigned = false): string {
  const number = (share: number) => {
    const text = (share * 100).toFixed(1);
    return isSigned && share > 0 ? `+${text}` : text;
  };
  return `${number(value)} [${number(low)}, ${number(high)}]`;
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}
