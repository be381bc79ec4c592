import type { Command } from "commander";
import type { CliContext } from "./cli-context.ts";
import { addModelFlags, type ModelFlags } from "./load-model.ts";
import { collect, collectWholes, parseNumber, parseWhole } from "./parse-number.ts";
import { addSamplingFlags, type SamplingFlags } from "./sampling-flags.ts";

/** Parsed flags of the `foretoken bench` commands; each command has those its help shows. */
export interface BenchFlags extends ModelFlags, SamplingFlags {
  readonly json?: boolean;
  readonly out?: string;
  readonly prompts?: string;
  readonly ids?: string;
  readonly groups?: string;
  readonly first?: number;
  readonly maxTokens?: number;
  readonly seed?: number;
  readonly decoder?: readonly string[];
  readonly repeats?: number;
  readonly resume?: string;
  readonly peers?: boolean;
  readonly transformersJs?: readonly string[];
  readonly tolerance?: number;
  readonly rows?: number;
  readonly samples?: number;
  readonly reference?: ModelFlags["dtype"];
  readonly generations?: number;
  readonly contexts?: readonly number[];
  readonly perGroup?: number;
  readonly taskSeed?: number;
  readonly seeds?: readonly number[];
}

/** What `foretoken bench` can measure. */
export type BenchMode =
  | "speed"
  | "exact"
  | "quality"
  | "noise"
  | "fidelity"
  | "startup"
  | "memory"
  | "context"
  | "batch";

/** Adds the subcommands of `bench`. @param done - Gets the exit code of the one that ran. */
export function addBenchCommand(bench: Command, context: CliContext, done: (code: number) => void): Command {
  const mode = (name: BenchMode, summary: string, options: { readonly isDefault?: boolean } = {}) =>
    addModelFlags(
      bench
        .command(name, options)
        .summary(summary)
        .description(summary)
        .optionsGroup("Output:")
        .option("--json", "print one JSON object instead of a table")
        .option("--out <path>", "also write the JSON object to a file")
        .action(async (flags: BenchFlags) => {
          const { benchCommand } = await import("./commands/bench.ts");
          done(await benchCommand(name, flags, context));
        }),
    );

  addSamplingFlags(
    addDecoders(
      addPrompts(mode("speed", "speed-up over plain, paired and interleaved (default)", { isDefault: true })),
    )
      .optionsGroup("Measuring:")
      .option("-r, --repeats <n>", "answers to each prompt; figures are medians", parseWhole, 1)
      .option("--seed <n>", "seed of every answer", parseWhole, 0)
      .option("--resume <path>", "keep measurements in this file, and go on where it ends")
      .option("--peers", "also measure node-llama-cpp on the same file")
      .option(
        "--transformers-js <folder[:dtype]>",
        "also measure transformers.js on this folder; may be repeated",
        collect,
      ),
  ).addHelpText("after", SPEED_HELP);
  addSamplingFlags(
    addDecoders(addPrompts(mode("exact", "compare decoders' tokens with plain's")))
      .optionsGroup("Measuring:")
      .option("--seed <n>", "seed of every answer", parseWhole, 0)
      .option(
        "--tolerance <logits>",
        "texts may part where plain's two best logits lie within this (default: 1e-3 for fp32, else the measured noise)",
        parseNumber,
      ),
  );
  addSamplingFlags(
    addDecoders(mode("quality", "score answers that a program can check, beside plain's"))
      .optionsGroup("Tasks:")
      .option("--groups <names>", "only these groups, with commas between")
      .option("--per-group <n>", "tasks of each group", parseWhole, 20)
      .option("--task-seed <n>", "seed of the tasks", parseWhole, 0)
      .option("-n, --max-tokens <n>", "tokens of an answer", parseWhole, 64)
      .optionsGroup("Measuring:")
      .option("--seeds <list>", "seeds of the answers, with commas between (default: 0)", collectWholes)
      .option("--resume <path>", "keep measurements in this file, and go on where it ends"),
  ).addHelpText("after", QUALITY_HELP);
  addPrompts(mode("noise", "how much the size of a pass changes its rows"))
    .optionsGroup("Measuring:")
    .option("--rows <n>", "rows of a pass", parseWhole, 8)
    .option("--samples <n>", "rows to compare", parseWhole, 2000);
  addPrompts(mode("fidelity", "divergence of one dtype from another, teacher-forced"))
    .optionsGroup("Measuring:")
    .option("--reference <dtype>", "the dtype to trust", "fp32")
    .option("--samples <n>", "answer tokens to compare", parseWhole, 1000);
  mode("startup", "time of first and cached load, peak memory").option(
    "-n, --max-tokens <n>",
    "tokens of the answer",
    parseWhole,
    128,
  );
  mode("memory", "memory over many short answers").option("--generations <n>", "answers", parseWhole, 1000);
  addSamplingFlags(
    addDecoders(addPrompts(mode("batch", "answers to several prompts at once, against one by one"))),
  )
    .optionsGroup("Measuring:")
    .option("-r, --repeats <n>", "times that all is answered; figures are medians", parseWhole, 1)
    .option("--seed <n>", "seed of every answer", parseWhole, 0);
  mode("context", "what a pass costs the longer the text is")
    .option("--rows <n>", "rows of a pass", parseWhole, 1)
    .option("--contexts <list>", "rows in the cache, with commas between", collectWholes);
  return bench;
}

function addPrompts(command: Command): Command {
  return command
    .optionsGroup("Prompts:")
    .option(
      "--prompts <path>",
      "JSON lines with id, turns or text, and group or category (default: 12 own prompts)",
    )
    .option("--ids <path>", "a JSON object with a list of ids for each group")
    .option("--groups <names>", "only these groups, with commas between")
    .option("--first <n>", "only the first n prompts of each group", parseWhole)
    .option("-n, --max-tokens <n>", "tokens of an answer", parseWhole, 128);
}

function addDecoders(command: Command): Command {
  return command
    .optionsGroup("Decoding:")
    .option(
      "-d, --decoder <[label=]name|json>",
      "a decoder to compare with plain; may be repeated (default: the default decoder)",
      collect,
    );
}

const SPEED_HELP = `
Peers are installed on demand in a folder of their own in the cache. They decode greedily, whatever the sampling flags.

  foretoken bench --decoder prompt-lookup --decoder both=prompt-lookup,token-recycling
  foretoken bench --prompts prompts.jsonl --ids ids.json --first 10 --repeats 3 --resume partial.json --out result.json`;

const QUALITY_HELP = `
For decoders that alter the text. Nothing is timed; plain decoding answers too.

  foretoken bench quality --decoder '{"use":"speculative","drafters":["prompt-lookup"],"verifier":{"use":"judge","control":"divergence","threshold":0.3}}'
  foretoken bench quality --groups sums,json --per-group 50 --temperature 0.6 --seeds 0,1,2 --resume partial.json`;
