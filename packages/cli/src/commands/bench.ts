import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BenchDecoder,
  type BenchPrompt,
  type Contestant,
  checkExactness,
  decoderContestant,
  measureBatch,
  measureFidelity,
  measureLongContext,
  measureMemory,
  measureNoise,
  measureQuality,
  measureStartup,
  openPeers,
  qualityTable,
  qualityTasks,
  readPrompts,
  runBench,
  summaryTable,
  thisMachine,
} from "@foretoken/bench";
import { type Model, plain, type SamplingOptions } from "@foretoken/core";
import { cacheFolder, findModel } from "@foretoken/runtime";
import type { BenchFlags, BenchMode } from "../bench-flags.ts";
import {
  batchText,
  exactnessText,
  fidelityText,
  longContextText,
  memoryText,
  noiseText,
  startupText,
} from "../bench-text.ts";
import type { CliContext } from "../cli-context.ts";
import { Countdown } from "../countdown.ts";
import { EXIT } from "../exit-code.ts";
import { loadLike, loadModel } from "../load-model.ts";
import { PartBuilder, parsePart } from "../part-flags.ts";
import { samplingOf } from "../sampling-flags.ts";
import { say } from "../terminal.ts";

/** What a mode gives: plain data for JSON, and a text for people. */
interface BenchOutput {
  readonly data: object;
  readonly text: string;
}

/** What modes share. */
interface BenchRun {
  readonly flags: BenchFlags;
  readonly context: CliContext;
  readonly signal: AbortSignal;
  readonly countdown: Countdown;
}

const MODES: Readonly<Record<BenchMode, (run: BenchRun) => Promise<BenchOutput>>> = {
  speed,
  exact,
  quality,
  noise,
  fidelity,
  startup,
  memory,
  context: longContext,
  batch,
};

/**
 * Measures one thing: a table on stdout, or one JSON object; progress on stderr.
 * @returns The exit code.
 */
export async function benchCommand(mode: BenchMode, flags: BenchFlags, context: CliContext): Promise<number> {
  const { terminal, interruption } = context;
  const countdown = new Countdown(terminal);
  let output: BenchOutput;
  try {
    output = await MODES[mode]({ flags, context, signal: interruption.signal, countdown });
  } finally {
    countdown.stop();
  }
  const json = JSON.stringify({ mode, machine: thisMachine(), ...output.data });
  if (flags.out !== undefined) await writeFile(flags.out, `${json}\n`);
  terminal.stdout.write(`${flags.json ? json : output.text}\n`);
  return EXIT.ok;
}

async function speed(run: BenchRun): Promise<BenchOutput> {
  const { flags, context, signal, countdown } = run;
  const prompts = await promptsOf(flags);
  const { decoders, sampling } = await decodersOf(run);
  return withModel(run, async (model) => {
    const contestants: Contestant[] = [{ name: "plain", decoder: plain() }, ...decoders].map((decoder) =>
      decoderContestant(model, decoder, sampling),
    );
    const tell = (sentence: string) => say(context.terminal, sentence);
    contestants.push(...(await peersOf(run, model, prompts, tell)));
    try {
      const result = await runBench({
        contestants,
        prompts,
        maxTokens: flags.maxTokens,
        repeats: flags.repeats,
        seed: flags.seed,
        resume: flags.resume,
        identity: { ...identityOf(model), sampling },
        signal,
        onProgress: ({ done, total, contestant, prompt }) =>
          countdown.show(done, total, `${prompt.group} ${prompt.id} ${contestant}`),
      });
      return {
        data: { ...identityOf(model), sampling, ...result },
        text: `${describe(model)}\n\n${summaryTable(result.summary)}`,
      };
    } finally {
      for (const contestant of contestants) await contestant.dispose?.();
    }
  });
}

async function exact(run: BenchRun): Promise<BenchOutput> {
  const { flags, signal, countdown, context } = run;
  const prompts = await promptsOf(flags);
  const { decoders, sampling } = await decodersOf(run);
  return withModel(run, async (model) => {
    const isExact = model.dtype === "fp32";
    if (!isExact && flags.tolerance === undefined)
      say(context.terminal, "Measuring the noise of the weights.");
    const noise =
      isExact || flags.tolerance !== undefined
        ? undefined
        : await measureNoise({ model, prompts, maxTokens: flags.maxTokens, signal });
    const results = await checkExactness({
      model,
      decoders,
      prompts,
      sampling,
      maxTokens: flags.maxTokens,
      seed: flags.seed,
      tolerance: flags.tolerance ?? noise?.noise,
      padded: !isExact,
      signal,
      onProgress: ({ decoder, done, total }) => countdown.show(done, total, decoder),
    });
    return {
      data: { ...identityOf(model), sampling, noise, results },
      text: [
        describe(model),
        ...(noise === undefined ? [] : [noiseText(noise)]),
        exactnessText(results),
      ].join("\n\n"),
    };
  });
}

async function quality(run: BenchRun): Promise<BenchOutput> {
  const { flags, signal, countdown } = run;
  const { seeds, maxTokens, resume } = flags;
  const tasks = qualityTasks({ seed: flags.taskSeed, perGroup: flags.perGroup, groups: groupsOf(flags) });
  const { decoders, sampling } = await decodersOf(run);
  return withModel(run, async (model) => {
    const result = await measureQuality({
      model,
      decoders,
      tasks,
      sampling,
      seeds,
      maxTokens,
      resume,
      identity: { ...identityOf(model), sampling },
      signal,
      onProgress: ({ done, total, decoder, task }) => countdown.show(done, total, `${task.id} ${decoder}`),
    });
    return {
      data: { ...identityOf(model), sampling, taskSeed: flags.taskSeed, ...result },
      text: `${describe(model)}\n\n${qualityTable(result.summary)}`,
    };
  });
}

async function noise(run: BenchRun): Promise<BenchOutput> {
  const { rows, samples, maxTokens } = run.flags;
  const prompts = await promptsOf(run.flags);
  return withModel(run, async (model) => {
    const result = await measureNoise({ model, prompts, rows, samples, maxTokens, signal: run.signal });
    return { data: { ...identityOf(model), ...result }, text: `${describe(model)}\n\n${noiseText(result)}` };
  });
}

async function fidelity(run: BenchRun): Promise<BenchOutput> {
  const { flags, context, signal, countdown } = run;
  const prompts = await promptsOf(flags);
  return withModel(run, async (model) => {
    const reference = await loadModel({ ...flags, dtype: flags.reference }, context);
    try {
      const { samples, maxTokens } = flags;
      const result = await measureFidelity({
        model,
        reference,
        prompts,
        samples,
        maxTokens,
        signal,
        onProgress: ({ done, total }) => countdown.show(done, total, "answer tokens"),
      });
      return {
        data: { ...identityOf(model), reference: reference.dtype, ...result },
        text: `${describe(model)}, compared with ${reference.dtype}\n\n${fidelityText(result)}`,
      };
    } finally {
      await reference.dispose();
    }
  });
}

async function startup({ flags, signal }: BenchRun): Promise<BenchOutput> {
  const { dtype, device, threads, maxTokens } = flags;
  const { path } = await findModel(flags.model, { offline: flags.offline, signal });
  const result = await measureStartup({ model: path, dtype, device, threads, maxTokens, signal });
  return { data: { model: flags.model, dtype, device, ...result }, text: startupText(result) };
}

async function memory({ flags, signal }: BenchRun): Promise<BenchOutput> {
  const { dtype, device, threads, generations } = flags;
  const { path } = await findModel(flags.model, { offline: flags.offline, signal });
  const result = await measureMemory({ model: path, dtype, device, threads, generations, signal });
  return { data: { model: flags.model, dtype, device, ...result }, text: memoryText(result) };
}

async function batch(run: BenchRun): Promise<BenchOutput> {
  const { flags, signal, countdown } = run;
  const prompts = await promptsOf(flags);
  const { decoders, sampling } = await decodersOf(run);
  return withModel(run, async (model) => {
    const results = [];
    for (const { name, decoder } of [{ name: "plain", decoder: plain() }, ...decoders]) {
      const result = await measureBatch({
        model,
        decoder,
        prompts,
        sampling,
        maxTokens: flags.maxTokens,
        repeats: flags.repeats,
        seed: flags.seed,
        signal,
        onProgress: ({ done, total }) => countdown.show(done, total, name),
      });
      results.push({ decoder: name, ...result });
    }
    return {
      data: { ...identityOf(model), sampling, results },
      text: `${describe(model)}\n\n${batchText(results)}`,
    };
  });
}

async function longContext(run: BenchRun): Promise<BenchOutput> {
  const { rows, contexts } = run.flags;
  return withModel(run, async (model) => {
    const result = await measureLongContext({ model, rows, contexts, signal: run.signal });
    return {
      data: { ...identityOf(model), ...result },
      text: `${describe(model)}\n\n${longContextText(result)}`,
    };
  });
}

async function withModel(
  { flags, context }: BenchRun,
  measure: (model: Model) => Promise<BenchOutput>,
): Promise<BenchOutput> {
  const model = await loadModel(flags, context);
  try {
    return await measure(model);
  } finally {
    await model.dispose();
  }
}

function promptsOf(flags: BenchFlags): Promise<readonly BenchPrompt[]> {
  const { prompts, ids, first } = flags;
  return readPrompts({ file: prompts, ids, groups: groupsOf(flags), first });
}

function groupsOf({ groups }: BenchFlags): readonly string[] | undefined {
  return groups?.split(",").map((name) => name.trim());
}

async function decodersOf({ flags, context }: BenchRun): Promise<{
  readonly decoders: readonly BenchDecoder[];
  readonly sampling: SamplingOptions;
}> {
  const parts = new PartBuilder(context.cwd, { loadModel: loadLike(flags, context) });
  const decoders: BenchDecoder[] = [];
  for (const text of flags.decoder ?? ["default"]) {
    const [, label, value] = /^(?:([\w .+-]+)=)?(.*)$/s.exec(text)!;
    const json = parsePart(value!, "--decoder");
    decoders.push({ name: label ?? value!, decoder: await parts.build("decoder", json), json });
  }
  return { decoders, sampling: samplingOf(flags, await parts.processors(flags.processor)) };
}

async function peersOf(
  { flags, signal }: BenchRun,
  model: Model,
  prompts: readonly BenchPrompt[],
  onProgress: (sentence: string) => void,
): Promise<readonly Contestant[]> {
  const { peers, transformersJs } = flags;
  if (!peers && transformersJs === undefined) return [];
  const gguf = peers ? (await findModel(flags.model, { offline: flags.offline, signal })).path : undefined;
  const folder = join(cacheFolder(), "peers");
  return openPeers({ model, prompts, folder, gguf, transformersJs, onProgress, signal });
}

function identityOf({ id, contentHash, device, dtype }: Model) {
  return { model: id, contentHash, device, dtype };
}

function describe({ id, device, dtype }: Model): string {
  const { cpu, processors, node } = thisMachine();
  return `${id}, ${device}, ${dtype}; ${processors} × ${cpu}, Node ${node}`;
}
