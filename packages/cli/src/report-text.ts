import type { Generation, Model, Report } from "@foretoken/core";

/** A generation on one line: what it gave, what it cost, what it promises. */
export function reportLine({ report, guarantee, usage, seed, finish }: Generation, model: Model): string {
  return [
    `${usage.completionTokens} tokens (${finish})`,
    `${report.targetPasses} passes, ${report.blockEfficiency.toFixed(2)} tokens a pass`,
    `${report.tokensPerSecond.toFixed(0)} tokens/s`,
    `first after ${report.times.timeToFirstTokenMs.toFixed(0)} ms`,
    guarantee.level,
    `seed ${seed}`,
    `${model.device} ${model.dtype}`,
  ].join(" · ");
}

/** A generation on several lines. */
export function reportLines(generation: Generation, model: Model): readonly string[] {
  const { report, guarantee, usage } = generation;
  const { times } = report;
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  return [
    reportLine(generation, model),
    `decoder    ${report.decoder}`,
    `promise    ${guarantee.level}: ${guarantee.reasons.join("; ")}`,
    `prompt     ${usage.promptTokens} tokens, ${usage.cachedTokens} of them cached`,
    `drafted    ${report.drafted} tokens, ${report.accepted} accepted, ${report.corrected} passes corrected a draft`,
    ...depthLines(report),
    ...Object.entries(report.bySource).map(
      ([source, { drafted, accepted }]) => `  by ${source}: ${accepted} of ${drafted} accepted`,
    ),
    ...report.choices.map((choice, index) => `${index === 0 ? "chosen     " : "           "}${choice}`),
    ...(report.bytesRead === 0
      ? []
      : [`read back  ${(report.bytesRead / report.tokens).toFixed(0)} bytes a token from the device`]),
    `time       prefill ${ms(times.prefillMs)}, passes ${ms(times.passMs)}, drafting ${ms(times.draftMs)}, ` +
      `verifying ${ms(times.verifyMs)}, other ${ms(times.otherMs)}`,
  ];
}

function depthLines({ acceptanceByDepth }: Report): readonly string[] {
  if (acceptanceByDepth.length === 0) return [];
  const shares = acceptanceByDepth.map(
    ({ offered, accepted }) => `${Math.round((100 * accepted) / offered)} %`,
  );
  return [`  accepted at depth 1, 2, …: ${shares.join(", ")}`];
}
