import { DecodingError, hasCode, type Tokenizer } from "@foretoken/core";
import { chooseDevice } from "./choose-device.ts";
import type { DeviceName } from "./device/backend.ts";
import { checkDtype } from "./engine.ts";
import { defaultDtype, loadRuntime, type RuntimeModel, type RuntimeOptions } from "./load-runtime.ts";
import { cacheFolder } from "./sources/cache-folder.ts";
import { CATALOG } from "./sources/catalog.ts";
import { fileHash } from "./sources/file-hash.ts";
import { findModel, isOffline } from "./sources/find-model.ts";
import { isNode } from "./sources/node.ts";
import { isAddress, type OpenedFile, openAddress, openCatalogFile } from "./sources/open-address.ts";
import type { OnProgress } from "./sources/progress.ts";
import { throwIfAborted } from "./sources/store-file.ts";
import { tokenizerFromGguf } from "./tokenizer/gguf-tokenizer.ts";
import { adaptedWeights, type WeightDeltas } from "./weights/adapted-weights.ts";
import { blobSource, fileSource } from "./weights/byte-source.ts";
import type { WeightDtype } from "./weights/linear-layout.ts";
import type { ModelWeights } from "./weights/model-weights.ts";
import { openGguf } from "./weights/open-gguf.ts";

/** How a model is found and run. */
export interface LoadModelOptions {
  /**
   * Precision of the weights: `stored` keeps the file's own (default on `cpu` and `webgpu`), `fp32` (default on `wasm`),
   * `fp16` (`webgpu` with the feature `shader-f16`), `q8`, or `q4`, which loses quality and says so.
   */
  readonly dtype?: WeightDtype;
  /** What computes; default `auto`: WebGPU on a real GPU, then native CPU where onnxruntime-node loads, then wasm. */
  readonly device?: DeviceName | "auto";
  /** Folder for models and written graphs; default `FORETOKEN_CACHE` or the platform's cache folder. */
  readonly cache?: string;
  /** Do not touch the network; default whether `FORETOKEN_OFFLINE` is set to anything but `0`. */
  readonly offline?: boolean;
  /** Threads of one operator; default the CPUs this process may use. */
  readonly threads?: number;
  /** Most cached rows of all sessions together; default twice the context length. */
  readonly poolRows?: number;
  /** What training changed of the weights; the changed matrices run in float32, so that `fp32` is the dtype for them. */
  readonly deltas?: WeightDeltas;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Told what the user should know but can live with; default `console.warn`. */
  readonly onWarning?: (sentence: string) => void;
}

/** A model with its tokenizer, ready to decode. */
export interface LoadedModel extends RuntimeModel {
  readonly tokenizer: Tokenizer;
  /** Why this device computes, in one sentence. */
  readonly deviceReason: string;
}

const DTYPES: ReadonlySet<string> = new Set<WeightDtype>(["stored", "fp32", "fp16", "q8", "q4"]);

/**
 * Loads a model by catalog name, path or address, or from a GGUF file held as a `Blob`.
 *
 * What an address leads to is kept: in a browser in the origin private file system, in Node in the cache folder. The next
 * load downloads nothing, unless the server names another version. Where a browser gives no storage, the file is kept
 * in memory and `onWarning` is told.
 *
 * @param source - `"smollm2-135m-instruct"`, `"./model.gguf"`, an address (in browsers a relative one, too), or the file itself.
 * @returns The model; the caller disposes it.
 * @throws `DecodingError` `INVALID_OPTION` and `DEVICE_UNAVAILABLE` before anything is fetched; `MODEL_NOT_FOUND`,
 * `DOWNLOAD_FAILED`, `CHECKSUM_MISMATCH`, `CACHE_NOT_WRITABLE`; `NOT_A_MODEL`, `CORRUPT_MODEL`, `UNSUPPORTED_MODEL`
 * for the file; `ABORTED`.
 */
export async function loadModel(source: string | Blob, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { dtype, signal, onProgress, onWarning = console.warn } = options;
  throwIfAborted(signal);
  if (dtype !== undefined && !DTYPES.has(dtype)) {
    throw new DecodingError("INVALID_OPTION", {
      message: `dtype is ${JSON.stringify(dtype)}.`,
      fix: `Use one of ${[...DTYPES].join(", ")}.`,
    });
  }
  const { device, backend, reason, isFallback } = await chooseDevice(options.device ?? "auto");
  checkDtype(backend, dtype ?? defaultDtype(device));
  const cache = options.cache ?? (isNode ? cacheFolder() : undefined);

  const { id, weights: stored } = await openWeights(source, { ...options, cache });
  const weights = await orDispose(stored, async () =>
    options.deltas === undefined ? stored : adaptedWeights(stored, options.deltas),
  );
  const tokenizer = await orDispose(weights, async () => {
    throwIfAborted(signal);
    return tokenizerFromGguf(weights.metadata);
  });
  if (isFallback) onWarning(reason);
  if (dtype === "q4") onWarning(Q4_LOSS);
  if (device === "wasm" && !isNode && !globalThis.crossOriginIsolated) onWarning(ONE_THREAD);

  onProgress?.({ phase: "prepare", name: id, loaded: 0, total: 0 });
  const settings: RuntimeOptions = {
    id,
    tokenizer,
    dtype,
    device,
    cacheFolder: cache,
    threads: options.threads,
    poolRows: options.poolRows,
  };
  const model = await loadRuntime(weights, settings);
  if (signal?.aborted) await model.dispose();
  throwIfAborted(signal);
  return Object.assign(model, { tokenizer, deviceReason: reason });
}

/** Measured on SmolLM2-135M-Instruct against its file's own weights. */
const Q4_LOSS =
  'dtype "q4" rounds the weights again and loses quality: on SmolLM2-135M the distributions of answers move by 0.35 nats ' +
  '(mean KL), and the most likely token stays the same in 75 % of places. "stored" keeps the file\'s precision.';

const ONE_THREAD =
  "The page is not cross-origin isolated, so WebAssembly computes in one thread. Serve page and worker with " +
  "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.";

async function openWeights(
  source: string | Blob,
  options: LoadModelOptions,
): Promise<{ id: string; weights: ModelWeights }> {
  if (typeof source !== "string") {
    const blob = blobSource(source);
    return { id: blob.name, weights: await openGguf(blob) };
  }
  const { cache, onWarning = console.warn } = options;
  const entry = CATALOG.get(source);
  if (isAddress(source, isNode) || (entry !== undefined && !isNode)) {
    const offline = options.offline ?? (isNode && isOffline());
    const given = { ...options, offline, cache, onWarning };
    const file = await (entry ? openCatalogFile(source, entry, given) : openAddress(source, given));
    return { id: file.id, weights: await openDownloaded(file) };
  }
  const { id, path } = await findModel(source, options);
  const hash = cache === undefined ? undefined : () => fileHash(path, cache);
  return { id, weights: await openGguf(await fileSource(path), hash) };
}

/** What is no whole model would fail the same way for ever if it stayed. */
async function openDownloaded({ source, record, remove }: OpenedFile): Promise<ModelWeights> {
  try {
    return await openGguf(source, async () => record.sha256);
  } catch (error) {
    if (hasCode(error, "NOT_A_MODEL", "CORRUPT_MODEL")) await remove();
    throw error;
  }
}

/** Weights are open files: when what comes next fails, they are closed. */
async function orDispose<T>(weights: ModelWeights, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    await weights.dispose();
    throw error;
  }
}
