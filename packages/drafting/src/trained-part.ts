import { DecodingError } from "@foretoken/core";
import type { z } from "zod";
import { placeOf, readPartFile } from "./part-file.ts";
import { type PartManifest, type PartShape, readManifest } from "./part-manifest.ts";
import { readSafetensors, type Safetensor, type SafetensorsType } from "./safetensors.ts";

/** One tensor of a trained part, as the runtime takes it. */
export interface PartTensor {
  /** Row-major, outermost first: `[outputs, inputs]` for matrices, `[n]` for vectors. */
  readonly shape: readonly number[];
  /** Blocks of 32 int8 behind a float16 scale, as GGUF stores them, or float32. */
  readonly type: "Q8_0" | "F32";
  read(): Promise<Uint8Array>;
}

/** Type and shape of a tensor; a matrix of `I8` has float16 scales for blocks of 32 beside it, `ROLE.scales`. */
export type TensorForm = readonly [type: SafetensorsType, shape: readonly number[]];

/** A kind of trained parts: what its files must hold. */
export interface PartFormat<Shape extends PartShape> {
  readonly kind: string;
  /** Reads `shape` of the manifest. */
  readonly shape: z.ZodType<Shape>;
  /** What every part of this kind holds, by role. */
  tensors(shape: Shape): Readonly<Record<string, TensorForm>>;
}

/** Small weights trained for a model: a manifest and a file of tensors. */
export interface TrainedPart<Shape extends PartShape = PartShape> {
  readonly id: string;
  /** SHA-256 of its weights' file, hex. */
  readonly contentHash: string;
  readonly manifest: PartManifest<Shape>;
  /** The tensor with this role; `undefined` when it has none. */
  tensor(role: string): PartTensor | undefined;
  /** The values of a tensor of its format, row-major: a copy. */
  floats(role: string): Float32Array;
  /** The values of a tensor of int32. */
  integers(role: string): Int32Array;
}

const BLOCK = 32;
const SCALE_BYTES = 2;

/**
 * Loads a part from the folder that holds its `manifest.json`.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`, `CHECKSUM_MISMATCH`
 */
export async function loadTrainedPart<Shape extends PartShape>(
  folder: string | URL,
  format: PartFormat<Shape>,
): Promise<TrainedPart<Shape>> {
  const text = new TextDecoder().decode(await readPartFile(folder, "manifest.json"));
  const manifest = readManifest(text, placeOf(folder, "manifest.json"), format);
  return readTrainedPart(manifest, await readPartFile(folder, manifest.weights.file), format);
}

/**
 * Reads a part.
 *
 * @param bytes - The weights' file, kept.
 * @throws `CHECKSUM_MISMATCH` for other bytes than the manifest's; `CORRUPT_MODEL` for tensors that are not of this format.
 */
export async function readTrainedPart<Shape extends PartShape>(
  manifest: PartManifest<Shape>,
  bytes: Uint8Array<ArrayBuffer>,
  format: PartFormat<Shape>,
): Promise<TrainedPart<Shape>> {
  const { name, weights, shape } = manifest;
  const hash = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  if (hash !== weights.sha256) {
    throw new DecodingError("CHECKSUM_MISMATCH", {
      message: `${weights.file} of ${name} has the SHA-256 ${hash}, but its manifest says ${weights.sha256}.`,
      fix: "Install the part's package again.",
    });
  }
  const tensors = readSafetensors(bytes, weights.file);
  for (const [role, [type, size]] of Object.entries(format.tensors(shape))) {
    expectTensor(name, tensors, role, type, size);
    if (type === "I8") expectTensor(name, tensors, `${role}.scales`, "F16", [size[0], size[1] / BLOCK]);
  }
  return {
    id: name,
    contentHash: hash,
    manifest,
    tensor(role) {
      const tensor = tensors.get(role);
      if (tensor === undefined) return undefined;
      if (tensor.type === "F32") return { shape: tensor.shape, type: "F32", read: async () => tensor.bytes };
      const scales = tensors.get(`${role}.scales`)!;
      return {
        shape: tensor.shape,
        type: "Q8_0",
        read: async () => joinBlocks(tensor.bytes, scales.bytes),
      };
    },
    floats(role) {
      const { type, bytes: values } = tensors.get(role)!;
      return type === "F32"
        ? new Float32Array(aligned(values))
        : scaled(values, tensors.get(`${role}.scales`)!.bytes);
    },
    integers: (role) => new Int32Array(aligned(tensors.get(role)!.bytes)),
  };
}

function expectTensor(
  name: string,
  tensors: ReadonlyMap<string, Safetensor>,
  role: string,
  type: SafetensorsType,
  shape: readonly number[],
): void {
  const tensor = tensors.get(role);
  const found = tensor ? `${tensor.type} [${tensor.shape}]` : "absent";
  const wanted = `${type} [${shape}]`;
  if (found !== wanted) throw corrupt(name, `tensor "${role}" is ${found}, not ${wanted}`);
}

/** Refuses a part for what only its kind knows to be wrong. */
export function corrupt(name: string, what: string): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `${name} is no trained part that this version runs: ${what}.`,
    fix: "Install the part's package again, in a version that fits @foretoken/drafting.",
  });
}

/** A copy: tensors of a file need not lie at multiples of four bytes. */
const aligned = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer;

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

/** Multiplies each block by its scale. */
function scaled(integers: Uint8Array, scales: Uint8Array): Float32Array {
  const view = new DataView(scales.buffer, scales.byteOffset, scales.byteLength);
  const values = Float32Array.from(new Int8Array(aligned(integers)));
  for (let block = 0; block < values.length / BLOCK; block++) {
    const scale = float16(view.getUint16(SCALE_BYTES * block, true));
    for (let at = block * BLOCK; at < (block + 1) * BLOCK; at++) values[at]! *= scale;
  }
  return values;
}

/** A scale, never infinite: 1 sign, 5 exponent, 10 mantissa bits. */
function float16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const magnitude = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
  return bits >> 15 === 0 ? magnitude : -magnitude;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
