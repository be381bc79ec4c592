import { DecodingError } from "@foretoken/core";
import { type HeadManifest, readManifest } from "./head-manifest.ts";
import { readSafetensors, type Safetensor } from "./head-safetensors.ts";

/** One tensor of a head, as the runtime takes it. */
export interface HeadTensor {
  /** Row-major, outermost first: `[outputs, inputs]` for matrices, `[n]` for vectors. */
  readonly shape: readonly number[];
  /** Blocks of 32 int8 behind a float16 scale, as GGUF stores them, or float32. */
  readonly type: "Q8_0" | "F32";
  read(): Promise<Uint8Array>;
}

/** A trained feature head. */
export interface FeatureHead {
  readonly id: string;
  /** SHA-256 of its weights' file, hex. */
  readonly contentHash: string;
  readonly manifest: HeadManifest;
  /** The token ids it can draft, ascending `[V']`. */
  readonly vocabulary: Int32Array;
  /** The tensor with this role (`inputProjection`, `finalNorm`, `layers.0.query`, …); `undefined` when it has none. */
  tensor(role: string): HeadTensor | undefined;
}

const BLOCK = 32;
const SCALE_BYTES = 2;

/**
 * Loads a head from the folder that holds its `manifest.json`.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`, `CHECKSUM_MISMATCH`
 */
export async function loadHead(folder: string | URL): Promise<FeatureHead> {
  const place = `${folder}`.replace(/\/?$/, "/");
  const manifestBytes = await readBytes(`${place}manifest.json`);
  const manifest = readManifest(new TextDecoder().decode(manifestBytes), `${place}manifest.json`);
  return readHead(manifest, await readBytes(`${place}${manifest.weights.file}`));
}

/**
 * Reads a head of kind `feature-head`.
 *
 * @param bytes - The weights' file, kept.
 * @throws `CHECKSUM_MISMATCH` for other bytes than the manifest's; `CORRUPT_MODEL` for tensors that make no such head.
 */
export async function readHead(manifest: HeadManifest, bytes: Uint8Array<ArrayBuffer>): Promise<FeatureHead> {
  const { name, weights, kind } = manifest;
  if (kind !== "feature-head") throw corrupt(name, `its kind is "${kind}"`);
  const hash = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  if (hash !== weights.sha256) {
    throw new DecodingError("CHECKSUM_MISMATCH", {
      message: `${weights.file} of the head ${name} has the SHA-256 ${hash}, but its manifest says ${weights.sha256}.`,
      fix: "Install the head's package again.",
    });
  }
  const tensors = readSafetensors(bytes, weights.file);
  checkShapes(manifest, tensors);
  return {
    id: name,
    contentHash: hash,
    manifest,
    vocabulary: vocabularyOf(name, tensors.get("vocabulary")!),
    tensor(role) {
      const tensor = tensors.get(role);
      if (tensor === undefined) return undefined;
      const { shape, type, bytes: values } = tensor;
      if (type === "F32") return { shape, type, read: async () => values };
      const scales = tensors.get(`${role}.scales`)!;
      return { shape, type: "Q8_0", read: async () => joinBlocks(values, scales.bytes) };
    },
  };
}

function checkShapes(manifest: HeadManifest, tensors: ReadonlyMap<string, Safetensor>): void {
  for (const [role, shape] of expectedShapes(manifest)) {
    const isVector = shape.length === 1;
    expectTensor(
      manifest.name,
      tensors,
      role,
      shape,
      isVector ? (role === "vocabulary" ? "I32" : "F32") : "I8",
    );
    if (!isVector) {
      expectTensor(manifest.name, tensors, `${role}.scales`, [shape[0], shape[1] / BLOCK], "F16");
    }
  }
}

function expectedShapes({ shape }: HeadManifest): ReadonlyMap<string, readonly number[]> {
  const { width, heads, keyValueHeads, headSize, feedForwardWidth, vocabulary } = shape;
  return new Map([
    ["vocabulary", [vocabulary]],
    ["inputProjection", [width, 2 * width]],
    ["layers.0.attentionNorm", [width]],
    ["layers.0.query", [heads * headSize, width]],
    ["layers.0.key", [keyValueHeads * headSize, width]],
    ["layers.0.value", [keyValueHeads * headSize, width]],
    ["layers.0.attentionOutput", [width, heads * headSize]],
    ["layers.0.feedForwardNorm", [width]],
    ["layers.0.gate", [feedForwardWidth, width]],
    ["layers.0.up", [feedForwardWidth, width]],
    ["layers.0.down", [width, feedForwardWidth]],
    ["finalNorm", [width]],
  ]);
}

function expectTensor(
  name: string,
  tensors: ReadonlyMap<string, Safetensor>,
  role: string,
  shape: readonly number[],
  type: Safetensor["type"],
): void {
  const tensor = tensors.get(role);
  const found = tensor ? `${tensor.type} [${tensor.shape}]` : "absent";
  const wanted = `${type} [${shape}]`;
  if (found !== wanted) throw corrupt(name, `tensor "${role}" is ${found}, not ${wanted}`);
}

function vocabularyOf(name: string, { bytes, shape }: Safetensor): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ids = Int32Array.from({ length: shape[0] }, (_, index) => view.getInt32(4 * index, true));
  const wrong = ids.findIndex((id, index) => id < 0 || (index > 0 && id <= ids[index - 1]));
  if (wrong >= 0) throw corrupt(name, `token ${ids[wrong]} of its vocabulary is negative or not in order`);
  return ids;
}

/** Puts each block's scale before its 32 integers. */
function joinBlocks(integers: Uint8Array, scales: Uint8Array): Uint8Array {
  const blocks = integers.length / BLOCK;
  const joined = new Uint8Array(blocks * (SCALE_BYTES + BLOCK));
  for (let block = 0, at = 0; block < blocks; block++, at += SCALE_BYTES + BLOCK) {
    joined.set(scales.subarray(block * SCALE_BYTES, (block + 1) * SCALE_BYTES), at);
    joined.set(integers.subarray(block * BLOCK, (block + 1) * BLOCK), at + SCALE_BYTES);
  }
  return joined;
}

async function readBytes(place: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (!/^https?:/.test(place) && globalThis.process?.versions?.node !== undefined) {
      const { readFile } = await import("node:fs/promises");
      return new Uint8Array(await readFile(place.startsWith("file:") ? new URL(place) : place));
    }
    const response = await fetch(place);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new DecodingError("MODEL_NOT_FOUND", {
      message: `The head's file ${place} cannot be read: ${(cause as Error).message}.`,
      fix: "Check the folder; it holds manifest.json and the weights that it names.",
      cause,
    });
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function corrupt(name: string, what: string): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `The head ${name} is no feature head that this version runs: ${what}.`,
    fix: "Install the head's package again, in a version that fits @foretoken/drafting.",
  });
}
