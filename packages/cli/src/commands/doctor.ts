import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { thisMachine } from "@foretoken/bench";
import { hasCode, type Model } from "@foretoken/core";
import { cacheFolder, findModel, type RuntimeModel } from "@foretoken/runtime";
import type { CliContext } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { findPackages, type PackageCopy } from "../find-packages.ts";
import { folderSize } from "../folder-size.ts";
import { DEFAULT_MODEL, loadModel, type ModelFlags } from "../load-model.ts";
import { announceInstalled, shippedRegistry } from "../parts.ts";

/** Parsed flags of `foretoken doctor`. */
export interface DoctorCommandFlags extends ModelFlags {
  readonly json?: boolean;
}

/** Two copies of one of these in a program do not know each other's classes, or load two native libraries. */
const WATCHED = [
  "@foretoken/core",
  "@foretoken/runtime",
  "onnxruntime-node",
  "onnxruntime-web",
  "onnxruntime-common",
  "zod",
];

/**
 * Says what is installed, cached and working. A model is loaded when it is named, or when it is in the cache; nothing is
 * fetched that was not asked for.
 *
 * @returns The exit code: failed when a model that was to be loaded does not work.
 */
export async function doctorCommand(flags: DoctorCommandFlags, context: CliContext): Promise<number> {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const packages = await findPackages([context.cwd, here], WATCHED);
  const registry = shippedRegistry();
  const faults = await announceInstalled(registry, context.cwd);
  const folder = cacheFolder();
  const models = await readdir(join(folder, "models")).catch((): string[] => []);
  const report = {
    ...thisMachine(),
    packages,
    duplicates: duplicatesOf(packages),
    cache: {
      folder,
      bytes: await folderSize(folder),
      models: models.filter((name) => name.endsWith(".gguf")),
    },
    plugins: registry.list().filter(({ from }) => from !== "@foretoken/core"),
    faults: faults.map(({ code, message, fix }) => ({ code, message, fix })),
    model: await checkModel(flags, context),
  };
  context.terminal.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${doctorText(report)}\n`);
  return report.model !== undefined && "error" in report.model ? EXIT.failed : EXIT.ok;
}

type Doctored = Awaited<ReturnType<typeof checkModel>>;

async function checkModel(flags: DoctorCommandFlags, context: CliContext) {
  if (flags.model === DEFAULT_MODEL && !(await isCached(flags.model, context))) return undefined;
  try {
    const model = await loadModel(flags, context);
    try {
      return describeModel(model);
    } finally {
      await model.dispose();
    }
  } catch (error) {
    if (!hasCode(error)) throw error;
    const { code, message, fix } = error;
    return { id: flags.model, error: { code, message, fix } };
  }
}

/** A loader that tests put in place of the runtime's has everything at hand. */
async function isCached(name: string, { loadModel, interruption }: CliContext): Promise<boolean> {
  if (loadModel !== undefined) return true;
  try {
    await findModel(name, { offline: true, signal: interruption.signal });
    return true;
  } catch (error) {
    if (hasCode(error, "DOWNLOAD_FAILED", "CHECKSUM_MISMATCH")) return false;
    throw error;
  }
}

function describeModel(model: Model) {
  const { id, contentHash, device, dtype, layers, width, vocabularySize, contextLength, cost, tokenizer } =
    model;
  return {
    id,
    contentHash,
    device,
    dtype,
    layers,
    width,
    vocabularySize,
    contextLength,
    endTokens: [...(tokenizer?.endTokens ?? [])].map((token) => ({
      token,
      text: tokenizer!.specialTokens.get(token) ?? tokenizer!.decode([token]),
    })),
    hasChatTemplate: tokenizer?.hasChatTemplate ?? false,
    isCostMeasured: cost.isMeasured,
    ...runtimeFacts(model),
  };
}

/** What only models of the runtime say. */
type RuntimeFacts = Partial<Pick<RuntimeModel, "runtimeVersion" | "threads" | "selfTest">>;

function runtimeFacts(model: Model): RuntimeFacts {
  const { runtimeVersion, threads, selfTest } = model as Model & RuntimeFacts;
  return { runtimeVersion, threads, selfTest };
}

function duplicatesOf(packages: readonly PackageCopy[]): readonly string[] {
  const names = packages.map(({ name }) => name);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

interface DoctorReport {
  readonly platform: string;
  readonly cpu: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly packages: readonly PackageCopy[];
  readonly duplicates: readonly string[];
  readonly cache: { readonly folder: string; readonly bytes: number; readonly models: readonly string[] };
  readonly plugins: readonly { readonly name: string; readonly from: string | undefined }[];
  readonly faults: readonly { readonly code: string; readonly message: string; readonly fix: string }[];
  readonly model: Doctored;
}

function doctorText(report: DoctorReport): string {
  const { cache, packages, duplicates, plugins, faults, model } = report;
  const line = (name: string, value: string) => `${name.padEnd(12)} ${value}`;
  return [
    line("node", `${report.node}, ${report.platform}`),
    line("machine", `${report.processors} × ${report.cpu}, ${report.memoryGiB} GiB`),
    ...packages.map(({ name, version, folder }) => line("package", `${name} ${version} (${folder})`)),
    ...duplicates.map((name) =>
      line(
        "DUPLICATE",
        `${name} is there more than once, and classes of one copy are not those of another: npm dedupe, where ranges allow it.`,
      ),
    ),
    line("cache", `${cache.folder}, ${Math.round(cache.bytes / 1e6)} MB`),
    ...cache.models.map((name) => line("cached", name)),
    line("plugins", plugins.map(({ name, from }) => `${name} (${from})`).join(", ") || "none"),
    ...faults.map(({ code, message, fix }) => line(code, `${message} ${fix}`)),
    ...modelLines(model, line),
  ].join("\n");
}

function modelLines(model: Doctored, line: (name: string, value: string) => string): readonly string[] {
  if (model === undefined)
    return [line("model", `${DEFAULT_MODEL} is not in the cache; foretoken demo fetches it.`)];
  if ("error" in model) {
    const { code, message, fix } = model.error;
    return [line("model", `${model.id} does not work: ${code} ${message} ${fix}`)];
  }
  const ends = model.endTokens.map(({ token, text }) => `${token} ${JSON.stringify(text)}`).join(", ");
  return [
    line(
      "model",
      `${model.id}, ${model.contentHash.slice(0, 12)}…, ${model.layers} layers of ${model.width}`,
    ),
    line(
      "runs on",
      [model.device, model.dtype, model.runtimeVersion, model.threads && `${model.threads} threads`]
        .filter(Boolean)
        .join(", "),
    ),
    line("context", `${model.contextLength} positions, vocabulary ${model.vocabularySize}`),
    line("end tokens", ends || "none: only stop strings and budgets end an answer"),
    line("template", model.hasChatTemplate ? "chat template found" : "no chat template: use --raw"),
    line("cost curve", model.isCostMeasured ? "measured here" : "assumed; foretoken tune measures it"),
    line("self-test", selfTestText(model.selfTest)),
  ];
}

function selfTestText(verdict: RuntimeFacts["selfTest"]): string {
  if (verdict === undefined) return "not run";
  const { verifiesTrees, treeError, wrongMaskError, wrongPositionError } = verdict;
  const errors = [treeError, wrongMaskError, wrongPositionError].map((error) => error.toPrecision(2));
  return (
    `${verifiesTrees ? "verifies trees" : "FAILED: verifies chains only"} (error ${errors[0]}; ` +
    `with a wrong mask ${errors[1]}, with wrong positions ${errors[2]})`
  );
}
