import type { Model } from "@foretoken/core";
import type { LoadModelOptions } from "@foretoken/runtime";
import { type Command, Option } from "commander";
import type { CliContext } from "./cli-context.ts";
import { parseWhole } from "./parse-number.ts";
import { say } from "./terminal.ts";

/** The model that commands load when none is named. */
export const DEFAULT_MODEL = "smollm2-135m-instruct";

/** Parsed flags of {@link addModelFlags}. */
export interface ModelFlags extends Pick<LoadModelOptions, "dtype" | "device" | "threads" | "offline"> {
  readonly model: string;
  /** Path of a file of trained deltas. */
  readonly deltas?: string;
}

/** Loads a further model, which a part names, the way the model of these flags is loaded. */
export function loadLike(flags: ModelFlags, context: CliContext): (name: string) => Promise<Model> {
  return (name) => loadModel({ ...flags, model: name, deltas: undefined }, context);
}

/** Loads a model by name or path, as the runtime's `loadModel` does. */
export type ModelLoader = (name: string, options: LoadModelOptions) => Promise<Model>;

/** Adds the flags that say which model runs, and how. */
export function addModelFlags(command: Command): Command {
  return command
    .optionsGroup("Model:")
    .option("-m, --model <name|path>", "a model of the catalog, or the path of a GGUF file", DEFAULT_MODEL)
    .addOption(
      new Option(
        "--dtype <dtype>",
        "precision of the weights; stored keeps the file's own (default: stored)",
      ).choices(["stored", "fp32", "fp16", "q8", "q4"]),
    )
    .addOption(
      new Option("--device <device>", "what computes (default: auto)").choices([
        "auto",
        "cpu",
        "wasm",
        "webgpu",
      ]),
    )
    .option("--threads <n>", "threads of the cpu (default: one for each usable processor)", parseWhole)
    .option("--deltas <path>", "trained low-rank deltas to add to its weights; use them with --dtype fp32")
    .option("--offline", "never use the network; the model must be in the cache");
}

/** Loads the model that flags name and shows how far it is on stderr. */
export async function loadModel(flags: ModelFlags, context: CliContext): Promise<Model> {
  const { terminal, interruption } = context;
  const load = context.loadModel ?? (await import("@foretoken/runtime")).loadModel;
  const { model, dtype, device, threads, offline } = flags;
  const deltas =
    flags.deltas === undefined
      ? undefined
      : await (await import("./load-deltas.ts")).loadDeltas(flags.deltas);
  const { LoadMeter } = await import("./load-meter.ts");
  const meter = new LoadMeter(terminal);
  try {
    return await load(model, {
      dtype,
      device,
      threads,
      offline,
      deltas,
      signal: interruption.signal,
      onProgress: (event) => meter.show(event),
      onWarning: (sentence) => say(terminal, sentence),
    });
  } finally {
    meter.stop();
  }
}
