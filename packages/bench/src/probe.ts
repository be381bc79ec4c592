import { generate, plain } from "@foretoken/core";
import { type LoadModelOptions, loadModel } from "@foretoken/runtime";

/** What a process of its own is to do. */
export interface ProbeRequest extends Pick<LoadModelOptions, "dtype" | "device" | "threads"> {
  /** Path of the model file. */
  readonly model: string;
  readonly prompt: string;
  /** Tokens of the first answer. */
  readonly maxTokens: number;
  /** Short answers behind the first one. */
  readonly generations: number;
}

/** What it found. */
export interface ProbeResult {
  readonly loadMs: number;
  /** From the start of the process to the first token. */
  readonly startToFirstTokenMs: number;
  /** Largest resident set so far, in MiB. */
  readonly peakMiB: number;
  /** Resident set in MiB after every {@link SAMPLE_EVERY} short answers, garbage collected where the process may. */
  readonly residentMiB: readonly number[];
}

/** Short answers between two samples of memory. */
export const SAMPLE_EVERY = 50;

/** Tokens of a short answer. */
const SHORT_TOKENS = 8;

/** Loads a model, answers, and measures the process it is in. */
export async function probe(request: ProbeRequest): Promise<ProbeResult> {
  const { prompt, maxTokens, generations, dtype, device, threads } = request;
  const messages = [{ role: "user", content: prompt }];
  const began = performance.now();
  const model = await loadModel(request.model, { dtype, device, threads });
  const loadMs = performance.now() - began;
  try {
    const asked = performance.now();
    const { report } = await generate(model, { messages, decoder: plain(), maxTokens });
    const startToFirstTokenMs = asked + report.times.timeToFirstTokenMs;
    const residentMiB: number[] = [];
    for (let done = 1; done <= generations; done++) {
      await generate(model, { messages, decoder: plain(), maxTokens: SHORT_TOKENS });
      if (done % SAMPLE_EVERY === 0) {
        globalThis.gc?.();
        residentMiB.push(process.memoryUsage.rss() / 2 ** 20);
      }
    }
    return { loadMs, startToFirstTokenMs, peakMiB: process.resourceUsage().maxRSS / 1024, residentMiB };
  } finally {
    await model.dispose();
  }
}
