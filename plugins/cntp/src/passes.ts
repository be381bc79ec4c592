import type { DecodeStep, SourceCount, StepTimes, TokenId, TokenLogProbability } from "@foretoken/core";

/** A token of its own that a pass gets, with what is reported about it. */
export interface OwnToken {
  readonly token: TokenId;
  readonly logProbability: TokenLogProbability | undefined;
}

/**
 * The passes of an inner decoder's step, as part of a larger one.
 * @param isReported - Whether their log-probabilities were asked for.
 */
export function passesOf(step: DecodeStep, isReported: boolean): readonly DecodeStep[] {
  return (step.passes ?? [step]).map(({ finish: _, logProbabilities, ...pass }) => ({
    ...pass,
    logProbabilities: isReported ? logProbabilities : undefined,
  }));
}

/**
 * Passes that made only so many tokens final, and then one of their own where the first dropped one stood.
 *
 * ```
 * passes   [the cat] [sat on]        keep 3, then "by"
 *          [the cat] [sat by]
 * ```
 */
export function keepTokens(
  passes: readonly DecodeStep[],
  count: number,
  own?: OwnToken,
): readonly DecodeStep[] {
  let left = count;
  let next = own;
  return passes.map((pass) => {
    const kept = Math.min(left, pass.tokens.length);
    left -= kept;
    if (kept === pass.tokens.length) return pass;
    const cut = cutPass(pass, kept, next);
    next = undefined;
    return cut;
  });
}

function cutPass(pass: DecodeStep, kept: number, own: OwnToken | undefined): DecodeStep {
  const accepted = Math.min(pass.accepted, kept);
  const sources = pass.sources.slice(0, kept);
  const ownEntries = own?.logProbability === undefined ? [] : [own.logProbability];
  return {
    ...pass,
    tokens: [...pass.tokens.slice(0, kept), ...(own === undefined ? [] : [own.token])],
    sources: own === undefined ? sources : [...sources, []],
    logProbabilities: pass.logProbabilities && [...pass.logProbabilities.slice(0, kept), ...ownEntries],
    accepted,
    bySource: recount(pass.bySource, sources.slice(0, accepted)),
    path: pass.path?.slice(0, kept),
  };
}

function recount(
  counts: DecodeStep["bySource"],
  accepted: DecodeStep["sources"],
): Readonly<Record<string, SourceCount>> {
  return Object.fromEntries(
    Object.entries(counts).map(([source, { drafted }]) => [
      source,
      { drafted, accepted: accepted.filter((sources) => sources.includes(source)).length },
    ]),
  );
}

/** One step of several passes; at least one. */
export function joinPasses(passes: readonly DecodeStep[], finish: DecodeStep["finish"]): DecodeStep {
  const total = (value: (pass: DecodeStep) => number) => passes.reduce((sum, pass) => sum + value(pass), 0);
  const bySource: Record<string, SourceCount> = {};
  for (const pass of passes) {
    for (const [source, { drafted, accepted }] of Object.entries(pass.bySource)) {
      const before = bySource[source] ?? { drafted: 0, accepted: 0 };
      bySource[source] = { drafted: before.drafted + drafted, accepted: before.accepted + accepted };
    }
  }
  return {
    tokens: passes.flatMap(({ tokens }) => tokens),
    sources: passes.flatMap(({ sources }) => sources),
    logProbabilities:
      passes[0]!.logProbabilities && passes.flatMap(({ logProbabilities = [] }) => logProbabilities),
    drafted: total((pass) => pass.drafted),
    accepted: total((pass) => pass.accepted),
    draftedDepth: Math.max(...passes.map((pass) => pass.draftedDepth)),
    rows: total((pass) => pass.rows),
    bySource,
    times: {
      draftMs: total(({ times }) => times.draftMs),
      passMs: total(({ times }) => times.passMs),
      verifyMs: total(({ times }) => times.verifyMs),
    },
    passes,
    finish,
  };
}

/**
 * Passes whose times add up to no more than the clock says: those that ran at the same time each tell the whole of it.
 * @param elapsedMs - From the begin of the first to the end of the last.
 */
export function shareTime(passes: readonly DecodeStep[], elapsedMs: number): readonly DecodeStep[] {
  const told = passes.reduce((sum, { times }) => sum + times.draftMs + times.passMs + times.verifyMs, 0);
  const share = Math.min(1, elapsedMs / Math.max(told, Number.MIN_VALUE));
  const shared = ({ draftMs, passMs, verifyMs }: StepTimes) => ({
    draftMs: draftMs * share,
    passMs: passMs * share,
    verifyMs: verifyMs * share,
  });
  return passes.map((pass) => ({ ...pass, times: shared(pass.times) }));
}
