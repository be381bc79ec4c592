import { DecodeEmitter, type Decoder, DecodingError, generate } from "@foretoken/core";
import type { RecordedAnswer } from "./recorded-answer.ts";
import { recordedModel } from "./recorded-model.ts";
import { geometricMean } from "./statistics.ts";
import { ALL_GROUPS } from "./summarize.ts";
import { textTable } from "./text-table.ts";

/** What a decoder did on the recorded answers of a group. */
export interface ReplayRow {
  readonly decoder: string;
  /** A group, or {@link ALL_GROUPS}: geometric means over groups. */
  readonly group: string;
  /** Tokens behind the first ÷ target passes. */
  readonly blockEfficiency: number;
  /** Time of plain decoding ÷ time of this decoder, if passes cost what the prices say and nothing else costs anything. */
  readonly pricedSpeedUp: number;
  /** Draft tokens accepted ÷ drafted; 0 without drafts. */
  readonly acceptanceRate: number;
  /** Milliseconds of drafting for a pass, on the machine that replays. */
  readonly draftMs: number;
}

/** Options of {@link replay}. */
export interface ReplayOptions {
  /** The answers to write again; only those of two tokens and more say anything. */
  readonly answers: readonly RecordedAnswer[];
  /** Decoders by the name the table gives them. */
  readonly decoders: Readonly<Record<string, Decoder>>;
  /** What a pass of 1, 2, 3, … rows costs; the last step goes on. Default {@link DEFAULT_PRICES}. */
  readonly prices?: readonly number[];
  /** Tokens of each answer at most. Default 128. */
  readonly maxTokens?: number;
}

/** Passes of 1 to 16 rows in passes of one row: SmolLM2-135M, weights as stored, two cores with AVX-512 VNNI. */
export const DEFAULT_PRICES: readonly number[] = [
  1, 1.14, 1.27, 1.44, 1.58, 1.71, 1.86, 2, 2.14, 2.28, 2.41, 2.55, 2.69, 2.83, 2.96, 3.1,
];

interface Counts {
  tokens: number;
  passes: number;
  price: number;
  drafted: number;
  accepted: number;
  draftMs: number;
}

/**
 * Lets decoders write recorded answers again and adds up the passes, in the order given. One decoder serves all answers,
 * so that a shared table warms up as it would.
 *
 * @throws `UNSUPPORTED` for a decoder that needs more than tokens and candidates.
 */
export async function replay({
  answers,
  decoders,
  prices = DEFAULT_PRICES,
  maxTokens = 128,
}: ReplayOptions): Promise<readonly ReplayRow[]> {
  const told = answers.filter(({ answer }) => answer.length > 1);
  const vocabularySize = 1 + largestId(told);
  const groups = [...new Set(told.map(({ group }) => group))];
  const table: ReplayRow[] = [];
  for (const [name, decoder] of Object.entries(decoders)) {
    const rows = groups.map((group) => ({ group, counts: noCounts() }));
    for (const recorded of told) {
      const { counts } = rows.find(({ group }) => group === recorded.group)!;
      await rewrite(recorded, decoder, vocabularySize, maxTokens, prices, counts);
    }
    const figures = rows.map(({ group, counts }) => replayRow(name, group, counts));
    table.push(...figures, meanRow(name, figures));
  }
  return table;
}

/** One line for each decoder: block efficiency / priced speed-up by group, and the time of drafting. */
export function replayTable(rows: readonly ReplayRow[]): string {
  const groups = [...new Set(rows.map(({ group }) => group))];
  const decoders = [...new Set(rows.map(({ decoder }) => decoder))];
  return textTable(
    ["decoder", ...groups, "drafting ms/pass"].map((title) => ({ title })),
    decoders.map((name) => [
      name,
      ...groups.map((group) => {
        const row = rows.find(({ decoder, group: other }) => decoder === name && other === group)!;
        return `${row.blockEfficiency.toFixed(2)} / ${row.pricedSpeedUp.toFixed(3)}`;
      }),
      rows.findLast(({ decoder }) => decoder === name)!.draftMs.toFixed(3),
    ]),
  );
}

async function rewrite(
  recorded: RecordedAnswer,
  decoder: Decoder,
  vocabularySize: number,
  maxTokens: number,
  prices: readonly number[],
  counts: Counts,
): Promise<void> {
  const events = new DecodeEmitter();
  events.on("step", ({ rows, tokens, drafted, accepted, times }) => {
    counts.tokens += tokens.length;
    counts.passes++;
    counts.price += priceOf(rows, prices);
    counts.drafted += drafted;
    counts.accepted += accepted;
    counts.draftMs += times.draftMs;
  });
  const { prompt, answer } = recorded;
  const expected = answer.slice(0, maxTokens);
  const { tokens } = await generate(
    recordedModel(recorded, { vocabularySize, cost: (rows) => priceOf(rows, prices) }),
    {
      prompt,
      decoder,
      maxTokens: expected.length,
      events,
    },
  );
  if (tokens.join() === expected.join()) return;
  throw new DecodingError("UNSUPPORTED", {
    message: `${decoder.name} wrote another text than the recorded one.`,
    fix: "Replay decoders whose guarantee is identical, at temperature 0.",
  });
}

function priceOf(rows: number, prices: readonly number[]): number {
  const listed = prices[rows - 1];
  if (listed !== undefined) return listed;
  const last = prices.at(-1)!;
  return last + (rows - prices.length) * (last - (prices.at(-2) ?? 0));
}

function replayRow(decoder: string, group: string, counts: Counts): ReplayRow {
  const { tokens, passes, price, drafted, accepted, draftMs } = counts;
  return {
    decoder,
    group,
    blockEfficiency: tokens / passes,
    pricedSpeedUp: tokens / price,
    acceptanceRate: drafted === 0 ? 0 : accepted / drafted,
    draftMs: draftMs / passes,
  };
}

function meanRow(decoder: string, rows: readonly ReplayRow[]): ReplayRow {
  const mean = (pick: (row: ReplayRow) => number) => geometricMean(rows.map(pick));
  return {
    decoder,
    group: ALL_GROUPS,
    blockEfficiency: mean((row) => row.blockEfficiency),
    pricedSpeedUp: mean((row) => row.pricedSpeedUp),
    acceptanceRate: mean((row) => row.acceptanceRate),
    draftMs: rows.reduce((sum, row) => sum + row.draftMs, 0) / rows.length,
  };
}

const noCounts = (): Counts => ({ tokens: 0, passes: 0, price: 0, drafted: 0, accepted: 0, draftMs: 0 });

const largestId = (answers: readonly RecordedAnswer[]): number =>
  answers.reduce(
    (largest, { prompt, answer, topK = [] }) =>
      [prompt, answer, ...topK].reduce((most, ids) => ids.reduce((a, b) => Math.max(a, b), most), largest),
    0,
  );
