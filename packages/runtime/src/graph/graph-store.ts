import { DecodingError } from "@foretoken/core";
import type { LoadableGraph } from "../device/backend.ts";
import { node } from "../sources/node.ts";
import type { GraphBuilder, GraphWeight } from "./graph-builder.ts";
import { encodeModel } from "./onnx-model.ts";
import { planWeights, readWeight, WEIGHTS_FILE, type WeightsPlan, writeWeights } from "./weights-file.ts";

/** Grows when the same source and dtype would give another weights file. */
const LAYOUT_VERSION = 1;

/** Small things that are measured once for weights and kept. */
export interface Notes {
  /** A note kept beside the weights: a measurement, a verdict. `undefined` when there is none, or none that can be read. */
  recall(name: string): Promise<unknown>;
  /** Keeps a note; where that fails it is lost, since notes only save time. */
  keep(name: string, note: unknown): Promise<void>;
}

/** Turns graphs into something a device can load. */
export interface GraphStore extends Notes {
  loadable(graph: GraphBuilder): Promise<LoadableGraph>;
}

const NO_NOTES: Notes = { recall: async () => undefined, keep: async () => {} };

/**
 * Encodes the weights in memory, anew for every graph: small models, browsers. Keeping them would hold them twice, here and on
 * the device.
 *
 * @param notes - Where notes stay; default nowhere.
 */
export function memoryStore(notes = NO_NOTES): GraphStore {
  return {
    ...notes,
    async loadable(graph) {
      const plan = planWeights(graph.weights);
      return loadableOf(graph, plan, { bytes: await encodeInMemory(plan) });
    },
  };
}

async function loadableOf(
  graph: GraphBuilder,
  plan: WeightsPlan,
  weights: LoadableGraph["weights"],
): Promise<LoadableGraph> {
  const inside = new Map<string, Uint8Array>();
  for (const part of graph.weights) if (part.isInside) inside.set(part.name, await readWeight(part));
  const { weight, length } = plan.entries.reduce((most, entry) =>
    entry.length > most.length ? entry : most,
  );
  const largestWeight = { name: weight.name, bytes: length };
  const place = (part: GraphWeight) => (part.isInside ? { raw: inside.get(part.name)! } : plan.place(part));
  return { model: encodeModel(graph.build(place)), weights, largestWeight };
}

async function encodeInMemory(plan: WeightsPlan): Promise<Uint8Array> {
  const bytes = new Uint8Array(plan.size);
  await writeWeights(plan, (part, offset) => bytes.set(part, offset));
  return bytes;
}

/**
 * Keeps the weights in a folder of the cache, so that the next start reads no source. Node only.
 *
 * One folder belongs to one content hash and dtype, and holds the file itself: ONNX Runtime refuses weights behind
 * links. The file gets its name when it is complete, so that two processes may write it at the same time.
 *
 * @throws `DecodingError` `CACHE_NOT_WRITABLE`
 */
export async function folderStore(
  cacheFolder: string,
  contentHash: string,
  dtype: string,
): Promise<GraphStore> {
  const { mkdir, realpath } = node.fs;
  const path = `${cacheFolder}/weights/${contentHash.slice(0, 32)}-${dtype}-v${LAYOUT_VERSION}`;
  const folder = await orNotWritable(path, async () => {
    await mkdir(path, { recursive: true });
    return realpath(path);
  });
  return {
    async recall(name) {
      return node.fs
        .readFile(`${folder}/${name}.json`, "utf8")
        .then(JSON.parse, () => undefined)
        .catch(() => undefined);
    },
    async keep(name, note) {
      const { rename, writeFile } = node.fs;
      const partial = `${folder}/${uniquePrefix()}-${name}.json`;
      await writeFile(partial, JSON.stringify(note))
        .then(() => rename(partial, `${folder}/${name}.json`))
        .catch(() => undefined);
    },
    async loadable(graph) {
      const plan = planWeights(graph.weights);
      if (!(await isComplete(folder, plan.size)))
        await orNotWritable(folder, () => writeFolder(folder, plan));
      return loadableOf(graph, plan, { folder });
    },
  };
}

let prefixes = 0;

/** A file name that no other process, and no other call of this one, uses. */
function uniquePrefix(): string {
  return `partial-${process.pid}-${Date.now().toString(36)}-${prefixes++}`;
}

/** Name of the file that says what the weights file must look like. */
const SEAL_FILE = "weights.json";

interface Seal {
  readonly size: number;
  /** SHA-256 of samples from the whole file: a full disk and a lost write leave zeros at the right length. */
  readonly samples: string;
}

async function isComplete(folder: string, size: number): Promise<boolean> {
  try {
    const seal = JSON.parse(await node.fs.readFile(`${folder}/${SEAL_FILE}`, "utf8")) as Seal;
    return seal.size === size && seal.samples === (await sampleHash(`${folder}/${WEIGHTS_FILE}`, size));
  } catch {
    return false;
  }
}

async function writeFolder(folder: string, plan: WeightsPlan): Promise<void> {
  const { open, rename, rm, writeFile } = node.fs;
  const unique = `${folder}/${uniquePrefix()}`;
  const partial = `${unique}.bin`;
  try {
    const file = await open(partial, "w");
    try {
      await writeWeights(plan, async (bytes, offset) => {
        for (let done = 0; done < bytes.length; ) {
          done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
        }
      });
      await file.truncate(plan.size);
      await file.sync();
    } finally {
      await file.close();
    }
    const seal: Seal = { size: plan.size, samples: await sampleHash(partial, plan.size) };
    await writeFile(`${unique}.json`, JSON.stringify(seal));
    await rename(partial, `${folder}/${WEIGHTS_FILE}`);
    await rename(`${unique}.json`, `${folder}/${SEAL_FILE}`);
  } finally {
    await rm(partial, { force: true });
    await rm(`${unique}.json`, { force: true });
  }
}

const SAMPLES = 128;
const SAMPLE_BYTES = 4096;

/** @throws `Error` when the file has another size or cannot be read. */
async function sampleHash(path: string, size: number): Promise<string> {
  const file = await node.fs.open(path, "r");
  try {
    if ((await file.stat()).size !== size) throw new Error("size differs");
    const hash = node.crypto.createHash("sha256");
    const buffer = new Uint8Array(SAMPLE_BYTES);
    for (let sample = 0; sample < SAMPLES; sample++) {
      const at = Math.floor((Math.max(0, size - SAMPLE_BYTES) * sample) / (SAMPLES - 1));
      const { bytesRead } = await file.read(buffer, 0, SAMPLE_BYTES, at);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

async function orNotWritable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    // Faults of the source keep their own code; those of the file system are the cache's.
    if (typeof code !== "string" || !/^E[A-Z]+$/.test(code)) throw cause;
    throw new DecodingError("CACHE_NOT_WRITABLE", {
      message: `The cache folder "${path}" cannot be written: ${(cause as Error).message}.`,
      fix: "Set FORETOKEN_CACHE to a writable folder with enough space.",
      cause,
    });
  }
}
