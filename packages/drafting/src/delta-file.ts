import { DecodingError } from "@foretoken/core";
import { readSafetensors, type Safetensor, safetensorsMetadata } from "./safetensors.ts";

/** Low-rank deltas of a model's matrices, as the runtime takes them. */
export interface DeltaFile {
  readonly id: string;
  /** SHA-256 of the file, hex. */
  readonly contentHash: string;
  /** SHA-256 of the weights that they were trained on, hex: the model's `contentHash`. */
  readonly base: string;
  /** Roles of the matrices that change, such as `layers.0.query`. */
  readonly roles: readonly string[];
  /** `up` `[outputs, rank]` times `down` `[rank, inputs]` is added to the matrix. */
  delta(
    role: string,
  ): { readonly up: Float32Array; readonly down: Float32Array; readonly rank: number } | undefined;
}

/**
 * Reads deltas: a safetensors file of float32 tensors `ROLE.up` and `ROLE.down` in pairs, with `base` in its metadata.
 *
 * @param name - What messages call them.
 * @throws `CORRUPT_MODEL` for what is no such file.
 */
export async function readDeltas(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<DeltaFile> {
  const tensors = readSafetensors(bytes, name);
  const { base } = safetensorsMetadata(bytes, name);
  if (base === undefined || !/^[0-9a-f]{64}$/.test(base)) {
    throw corrupt(name, `its metadata names no weights that they were trained on, but base ${base}`);
  }
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const roles = [...tensors.keys()].filter((key) => key.endsWith(".up")).map((key) => key.slice(0, -3));
  const deltas = new Map(roles.map((role) => [role, pairOf(tensors, role, name)]));
  const single = [...tensors.keys()].find((key) => !deltas.has(key.replace(/\.(up|down)$/, "")));
  if (single !== undefined) throw corrupt(name, `tensor "${single}" belongs to no pair of up and down`);
  return {
    id: name,
    contentHash: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    base,
    roles,
    delta: (role) => deltas.get(role),
  };
}

function pairOf(tensors: ReadonlyMap<string, Safetensor>, role: string, name: string) {
  const [up, down] = [tensors.get(`${role}.up`)!, tensors.get(`${role}.down`)];
  const rank = up.shape[1];
  const isPair = up.shape.length === 2 && down?.shape.length === 2 && down.shape[0] === rank;
  if (!isPair || up.type !== "F32" || down.type !== "F32") {
    const shown = (tensor: Safetensor | undefined) =>
      tensor ? `${tensor.type} [${tensor.shape}]` : "absent";
    throw corrupt(name, `the delta of ${role} has up ${shown(up)} and down ${shown(down)}`);
  }
  return { up: floats(up), down: floats(down), rank };
}

/** A copy: tensors of a file need not lie at multiples of four bytes. */
function floats({ bytes }: Safetensor): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

function corrupt(name: string, what: string): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `${name} is no file of deltas that this version reads: ${what}.`,
    fix: "Write it again with the training code.",
  });
}
