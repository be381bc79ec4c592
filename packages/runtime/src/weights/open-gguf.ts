import { DecodingError } from "@foretoken/core";
import type { ByteSource } from "./byte-source.ts";
import { contentHash } from "./content-hash.ts";
import { ARCHITECTURES, readConfig } from "./gguf-config.ts";
import { type GgufTensor, readGgufHeader } from "./gguf-header.ts";
import { assignRoles } from "./gguf-tensors.ts";
import { halfSplitRows } from "./half-split-rows.ts";
import type { ModelWeights, StoredTensor, WeightRole } from "./model-weights.ts";
import { storedBytes } from "./stored-formats.ts";

/** The tensors whose rows are rotated. */
const ROTATED = /\.(query|key)(Bias)?$/;

/**
 * Opens a GGUF file: checks its header against its size and the architecture, then hashes it; reads no weight.
 *
 * Takes over `source`: it is disposed with the weights, or at once when this throws.
 *
 * @param hash - Gives the SHA-256 of the source in hex; a caller that knows it already saves reading everything.
 * @throws `DecodingError` `NOT_A_MODEL`, `CORRUPT_MODEL` or `UNSUPPORTED_MODEL`, before anything large is read.
 */
export async function openGguf(source: ByteSource, hash = contentHash): Promise<ModelWeights> {
  try {
    return await readModel(source, hash);
  } catch (error) {
    await source.dispose();
    throw error;
  }
}

async function readModel(source: ByteSource, hash: typeof contentHash): Promise<ModelWeights> {
  const header = await readGgufHeader(source);
  const config = readConfig(header, source.name);
  const isAdjacent = ARCHITECTURES[config.architecture].rotaryOrder === "adjacent";
  let isDisposed = false;

  const storedTensor = (
    role: WeightRole,
    { name, shape, type, start, byteLength }: GgufTensor,
  ): StoredTensor => ({
    role,
    shape,
    type,
    async read() {
      if (isDisposed) {
        throw new DecodingError("DISPOSED", {
          message: `Tensor "${name}" was read after "${source.name}" was closed.`,
          fix: "Dispose of the weights after the graph is written.",
        });
      }
      const bytes = await source.read(start, byteLength);
      if (!isAdjacent || !ROTATED.test(role)) return bytes;
      return halfSplitRows(bytes, config.headSize, storedBytes(type, shape[1] ?? 1));
    },
  });

  const tensors = new Map<WeightRole, StoredTensor>();
  for (const [role, tensor] of assignRoles(header, config, source.name)) {
    tensors.set(role, storedTensor(role, tensor));
  }
  return {
    config,
    contentHash: await hash(source),
    metadata: header.metadata,
    tensor: (role) => tensors.get(role),
    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      await source.dispose();
    },
  };
}
