import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DecodingError } from "@foretoken/core";
import type { ProbeRequest } from "./probe.ts";
import { type ProbeProcess, runProbe } from "./run-probe.ts";
import { leastSquares } from "./statistics.ts";

/** What is measured in processes of its own. */
export interface ProcessOptions extends Pick<ProbeRequest, "model" | "dtype" | "device" | "threads"> {
  /** Default: a short question. */
  readonly prompt?: string;
  /** Tokens of the answer; default 128. */
  readonly maxTokens?: number;
  /** The probe's script; default this package's own. */
  readonly script?: string;
  readonly signal?: AbortSignal;
}

/** How long loading takes, and how much memory an answer. */
export interface Startup {
  /** Loading with an empty cache: reading weights, writing graph and weights, opening the device. */
  readonly firstLoadMs: number;
  /** Loading once the cache is filled. */
  readonly cachedLoadMs: number;
  /** From the start of a process with a filled cache to its first token. */
  readonly cachedStartToFirstTokenMs: number;
  /** Largest resident set of the process that filled the cache, and of one that found it, in MiB. */
  readonly firstPeakMiB: number;
  readonly cachedPeakMiB: number;
}

/** Four samples of memory: two in the half that counts. */
const LEAST_GENERATIONS = 200;

const SHORT_QUESTION = "Name three colours.";

/** Loads a model twice in two processes: with an empty cache of its own, then with what the first one left there. */
export async function measureStartup(options: ProcessOptions): Promise<Startup> {
  const cache = await mkdtemp(join(tmpdir(), "foretoken-startup-"));
  try {
    const process: ProbeProcess = { script: options.script, signal: options.signal, cache };
    const first = await runProbe(requestOf(options, 0), process);
    const second = await runProbe(requestOf(options, 0), process);
    return {
      firstLoadMs: first.loadMs,
      cachedLoadMs: second.loadMs,
      cachedStartToFirstTokenMs: second.startToFirstTokenMs,
      firstPeakMiB: first.peakMiB,
      cachedPeakMiB: second.peakMiB,
    };
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/** Memory of a process that answers again and again. */
export interface MemoryGrowth {
  readonly generations: number;
  readonly peakMiB: number;
  /** Resident set every so many answers, in MiB. */
  readonly residentMiB: readonly number[];
  /** Slope of the least-squares line through the second half of the samples, in MiB for each 1,000 answers. */
  readonly growthMiB: number;
}

/**
 * Lets one process give `generations` short answers, at least 200, and looks whether its memory grows.
 * @throws `INVALID_OPTION`, and what loading and answering throw.
 */
export async function measureMemory(
  options: ProcessOptions & { readonly generations?: number },
): Promise<MemoryGrowth> {
  const { generations = 1000, script, signal } = options;
  if (!Number.isInteger(generations) || generations < LEAST_GENERATIONS) {
    throw new DecodingError("INVALID_OPTION", {
      message: `generations is ${generations}, but a slope needs a whole number of at least ${LEAST_GENERATIONS}.`,
      fix: "Leave it out for 1,000.",
    });
  }
  const { peakMiB, residentMiB } = await runProbe(requestOf(options, generations), { script, signal });
  const half = residentMiB.slice(Math.floor(residentMiB.length / 2));
  const answersBetween = generations / residentMiB.length;
  const { slope } = leastSquares(
    half.map((_, index) => index * answersBetween),
    half,
  );
  return { generations, peakMiB, residentMiB, growthMiB: slope * 1000 };
}

function requestOf(options: ProcessOptions, generations: number): ProbeRequest {
  const { model, dtype, device, threads, prompt = SHORT_QUESTION, maxTokens = 128 } = options;
  return { model, dtype, device, threads, prompt, maxTokens, generations };
}
