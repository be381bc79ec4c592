import { type Decoder, generate, type Model, type SamplingOptions } from "@foretoken/core";
import type { Contestant } from "./contestant.ts";

/** A decoder with the name it has in tables. */
export interface BenchDecoder {
  readonly name: string;
  readonly decoder: Decoder;
  /** Its JSON form, kept in the results. */
  readonly json?: unknown;
}

/** One of our decoders as a contestant: every answer on a session of its own. */
export function decoderContestant(
  model: Model,
  { name, decoder, json }: BenchDecoder,
  sampling: SamplingOptions = {},
): Contestant {
  return {
    name,
    about: { decoder: json ?? name, guarantee: decoder.guarantee().level },
    answer: async (prompt, { maxTokens, seed, signal }) => {
      signal?.throwIfAborted();
      const { tokens, usage, finish, report } = await generate(model, {
        ...sampling,
        messages: [{ role: "user", content: prompt.text }],
        decoder,
        maxTokens,
        seed,
        signal,
      });
      signal?.throwIfAborted();
      const { passMs, totalMs, timeToFirstTokenMs } = report.times;
      return {
        tokens,
        finish,
        promptTokens: usage.promptTokens,
        tokensPerSecond: report.tokensPerSecond,
        timeToFirstTokenMs,
        targetPasses: report.targetPasses,
        rows: report.rows,
        drafted: report.drafted,
        accepted: report.accepted,
        overheadMs: Math.max(0, totalMs - timeToFirstTokenMs - passMs),
      };
    },
  };
}
