import {
  type Batch,
  type Exactness,
  type Fidelity,
  type LongContext,
  type MemoryGrowth,
  type Noise,
  type Startup,
  textTable,
} from "@foretoken/bench";

/** How exact decoders were, with every place where a text parts from plain's. */
export function exactnessText(results: readonly Exactness[]): string {
  const hasPadded = results.some(({ paddedIdentical }) => paddedIdentical !== undefined);
  const table = textTable(
    [
      { title: "decoder" },
      { title: "prompts" },
      { title: "identical" },
      { title: "errors" },
      { title: "rows/pass" },
      ...(hasPadded ? [{ title: "plain in such passes" }] : []),
    ],
    results.map(({ decoder, prompts, identical, errors, rowsPerPass, paddedIdentical }) => [
      decoder,
      String(prompts),
      percent(identical),
      String(errors),
      String(rowsPerPass),
      ...(hasPadded ? [paddedIdentical === undefined ? "–" : percent(paddedIdentical)] : []),
    ]),
  );
  const partings = results.flatMap(({ decoder, partings }) =>
    partings.map(
      ({ prompt, group, index, plain, other, gap, counts }) =>
        `${counts ? "ERROR " : ""}${decoder} parts on ${group} ${prompt} at token ${index}: ` +
        `${other ?? "end"} for ${plain ?? "end"}, gap ${gap.toPrecision(3)}`,
    ),
  );
  return [table, ...(partings.length > 0 ? [partings.join("\n")] : [])].join("\n\n");
}

/** How noisy a dtype is. */
export function noiseText({ rows, samples, noise, median, largest, argmaxChanges }: Noise): string {
  return [
    `noise         ${noise.toPrecision(3)} logits: 99th percentile of the change of the top-two gap`,
    `median        ${median.toPrecision(3)}`,
    `largest       ${largest.toPrecision(3)}`,
    `argmax        changes in ${percent(argmaxChanges)} of rows`,
    `compared      ${samples} rows in passes of 1 and of ${rows}`,
  ].join("\n");
}

/** How far one dtype is from another. */
export function fidelityText({ samples, meanKl, p99Kl, sameTop1 }: Fidelity): string {
  return [
    `mean KL       ${meanKl.toPrecision(3)} nats`,
    `p99 KL        ${p99Kl.toPrecision(3)} nats`,
    `same top-1    ${percent(sameTop1)}`,
    `compared      ${samples} answer tokens`,
  ].join("\n");
}

/** How long a start takes. */
export function startupText(startup: Startup): string {
  return [
    `first load    ${seconds(startup.firstLoadMs)}, peak ${megabytes(startup.firstPeakMiB)}`,
    `cached load   ${seconds(startup.cachedLoadMs)}, peak ${megabytes(startup.cachedPeakMiB)}`,
    `first token   ${seconds(startup.cachedStartToFirstTokenMs)} after the start of the process, with a filled cache`,
  ].join("\n");
}

/** Whether memory grows. */
export function memoryText({ generations, peakMiB, residentMiB, growthMiB }: MemoryGrowth): string {
  return [
    `peak          ${megabytes(peakMiB)}`,
    `resident      ${residentMiB.map((value) => value.toFixed(0)).join(", ")} MiB`,
    `growth        ${growthMiB.toFixed(1)} MiB for each 1,000 answers, over the second half of ${generations}`,
  ].join("\n");
}

/** What answering at once gives, by decoder. */
export function batchText(results: readonly (Batch & { readonly decoder: string })[]): string {
  return textTable(
    [
      { title: "decoder", align: "left" },
      { title: "prompts" },
      { title: "tokens/s one by one" },
      { title: "at once" },
      { title: "ratio" },
      { title: "same tokens" },
      { title: "when half join later" },
    ],
    results.map((result) => [
      result.decoder,
      String(result.prompts),
      result.tokensPerSecondOneByOne.toFixed(1),
      result.tokensPerSecondAtOnce.toFixed(1),
      (result.tokensPerSecondAtOnce / result.tokensPerSecondOneByOne).toFixed(2),
      `${result.same} of ${result.prompts}`,
      `${result.sameWhenJoining} of ${result.prompts}`,
    ]),
  );
}

/** What a pass costs the longer the text is. */
export function longContextText({ rows, points, msPerThousandRows }: LongContext): string {
  const table = textTable(
    [{ title: "rows in the cache", align: "right" }, { title: `ms of a pass of ${rows}` }],
    points.map(({ context, ms }) => [String(context), ms.toFixed(2)]),
  );
  return `${table}\n\n${msPerThousandRows.toFixed(2)} ms more for each 1,000 rows.`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function megabytes(mebibytes: number): string {
  return `${mebibytes.toFixed(0)} MiB`;
}
