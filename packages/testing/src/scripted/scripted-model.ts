import {
  type CostCurve,
  DecodingError,
  type Model,
  mergeRequirements,
  type Requirements,
  type RowInput,
  type Wants,
} from "@foretoken/core";
import type { GraphExtension as RuntimeExtension } from "@foretoken/runtime";
import { LEAST_WIDTH } from "./hidden-code.ts";
import type { Inspection } from "./inspection.ts";
import { disposed, PassQueue } from "./pass-queue.ts";
import { type Script, ScriptReader } from "./script.ts";
import { ScriptedMachine } from "./scripted-machine.ts";
import { ScriptedSession, type SessionHost } from "./scripted-session.ts";
import { type ScriptedTokenizerOptions, scriptedTokenizer } from "./scripted-tokenizer.ts";

/** Options of {@link scriptedModel}, besides the script. */
export interface ScriptedModelOptions extends Script {
  /** `V`. Default 8. */
  readonly vocabularySize?: number;
  /** Most positions of one text. Default 256. */
  readonly contextLength?: number;
  /** `L`, at most 30. Default 4. */
  readonly layers?: number;
  /** `D`, at least 4. Default 8. */
  readonly width?: number;
  /** Rows the shared cache holds. Default 4096. */
  readonly poolRows?: number;
  /** What it can do besides chains of tokens. Default everything. */
  readonly abilities?: {
    readonly tree?: boolean;
    readonly gates?: boolean;
    readonly embeddings?: boolean;
    /** Names of graph extensions it accepts; their integers and vectors reach {@link Script.probe}. Default any. */
    readonly extensions?: readonly string[];
  };
  /** How it writes; `false` for a model that only takes ids. Default letters. */
  readonly tokenizer?: ScriptedTokenizerOptions | false;
  readonly cost?: CostCurve;
  /** Default `scripted`. */
  readonly id?: string;
  /** Keep a log of every pass. Default `false`. */
  readonly record?: boolean;
}

/** A model whose behaviour is written down, with everything in it open to tests. */
export interface ScriptedModel extends Model {
  readonly inspection: Inspection;
  /** Logits `[V]` behind `tokens`, straight from the script. */
  logitsOf(tokens: readonly number[]): Float32Array;
  createSession(options?: { readonly contextLength?: number }): ScriptedSession;
}

/**
 * A model whose law is written down. It keeps a real pool of cache slots, gives each row only what the row sees, and holds
 * every caller to the session contract.
 *
 * A token row that sees a probe has NaN logits. A row that needs a layer of a row which skipped it is a `CACHE_HOLE`. Hidden
 * states say which tokens they came from (`decodeHidden`). Requirements must be prepared before they are used.
 *
 * @throws `INVALID_OPTION` without exactly one of `law`, `next` and `logits`, or with sizes out of range.
 */
export function scriptedModel(options: ScriptedModelOptions): ScriptedModel {
  const { vocabularySize = 8, contextLength = 256, layers = 4, width = 8, poolRows = 4096 } = options;
  checkSizes({ vocabularySize, contextLength, layers, width, poolRows });
  const reader = new ScriptReader(options, vocabularySize, layers);
  const machine = new ScriptedMachine(reader, { vocabularySize, layers, width, poolRows }, options.record);
  const { abilities = {}, id = "scripted" } = options;
  let prepared: Requirements = {};
  let isDisposed = false;

  const unsupported = (requirements: Requirements): string[] => {
    const sites = [...(requirements.hidden ?? []), ...(requirements.prefillHidden ?? [])];
    const unknown = sites.filter(
      (site) => site !== "final" && !(Number.isInteger(site) && site >= 0 && site <= layers),
    );
    const foreign = (requirements.extensions ?? []).filter(
      ({ name }) => abilities.extensions !== undefined && !abilities.extensions.includes(name),
    );
    return [
      ...unknown.map((site) => `${id} has no hidden states at site ${site}: it has ${layers} layers.`),
      ...foreign.map(({ name }) => `${id} cannot run the graph extension ${name}.`),
      ...(requirements.tree && abilities.tree === false ? [`${id} verifies chains only, not trees.`] : []),
      ...(requirements.gates && abilities.gates === false ? [`${id} cannot skip layers.`] : []),
      ...(requirements.embeddings && abilities.embeddings === false ? [`${id} takes no embeddings.`] : []),
    ];
  };
  const model: ScriptedModel = {
    id,
    contentHash: id.padEnd(64, "0"),
    device: "scripted",
    dtype: "fp32",
    vocabularySize,
    contextLength,
    layers,
    width,
    tokenizer: options.tokenizer === false ? undefined : scriptedTokenizer(vocabularySize, options.tokenizer),
    cost: options.cost ?? { isMeasured: false, ms: (rows) => 1 + 0.15 * (rows - 1) },
    inspection: machine.counters,
    logitsOf: (tokens) => reader.ofText(tokens),
    unsupported,
    prepare: async (requirements) => {
      if (isDisposed) throw disposed("model");
      const [reason] = unsupported(requirements);
      if (reason !== undefined)
        throw new DecodingError("UNSUPPORTED", { message: reason, fix: "Use another decoder." });
      prepared = mergeRequirements([prepared, requirements]);
    },
    createSession: (session = {}) => {
      if (isDisposed) throw disposed("model");
      const most = session.contextLength ?? contextLength;
      checkSizes({ contextLength: most });
      return new ScriptedSession(host, Math.min(most, contextLength));
    },
    dispose: async () => {
      isDisposed = true;
      await host.queue.close();
      for (const session of host.sessions) session.dispose();
    },
  };
  const host: SessionHost = {
    model,
    machine,
    queue: new PassQueue(machine),
    sessions: new Set(),
    ancestorNames: () =>
      (prepared.extensions ?? []).flatMap(
        ({ rowAncestors }: Partial<RuntimeExtension>) => rowAncestors ?? [],
      ),
    check: (rows, wants) => checkPrepared(prepared, abilities, rows, wants),
  };
  return model;
}

function checkPrepared(
  prepared: Requirements,
  abilities: NonNullable<ScriptedModelOptions["abilities"]>,
  rows: readonly RowInput[],
  wants: Wants,
): void {
  const missing: string[] = [];
  for (const site of wants.hidden ?? []) {
    if (prepared.hidden?.includes(site) || prepared.prefillHidden?.includes(site)) continue;
    missing.push(`hidden: [${JSON.stringify(site)}]`);
  }
  if (wants.layers !== undefined && !prepared.gates) missing.push("gates: true");
  if (!prepared.embeddings && rows.some((row) => row.embedding !== undefined))
    missing.push("embeddings: true");
  if (abilities.tree === false && !isChain(rows)) missing.push("tree: true");
  if (
    !prepared.extensions?.length &&
    rows.some(({ integers, vectors }) => (integers ?? vectors) !== undefined)
  ) {
    missing.push("an extension that takes integers or vectors");
  }
  if (missing.length === 0) return;
  throw new DecodingError("UNSUPPORTED", {
    message: `The pass uses what the model was not prepared for: ${missing.join(", ")}.`,
    fix: "Name it in requirements, and call model.prepare(requirements) first.",
  });
}

function isChain(rows: readonly RowInput[]): boolean {
  return rows.every((row, index) => index === 0 || row.parent === undefined || row.parent === index - 1);
}

function checkSizes(sizes: Readonly<Record<string, number>>): void {
  const least: Record<string, number> = { width: LEAST_WIDTH };
  for (const [name, value] of Object.entries(sizes)) {
    const from = least[name] ?? 1;
    const to = name === "layers" ? 30 : Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(value) || value < from || value > to) {
      throw new DecodingError("INVALID_OPTION", {
        message: `${name} is ${value}, but must be a whole number of at least ${from}${to === 30 ? " and at most 30" : ""}.`,
        fix: `Change ${name}.`,
      });
    }
  }
}
