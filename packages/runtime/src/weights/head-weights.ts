import { DecodingError } from "@foretoken/core";
import type { ModelWeights, StoredTensor, WeightRole } from "./model-weights.ts";
import { storedBytes } from "./stored-formats.ts";

/**
 * A trained draft head: an input projection and one decoder layer, which continue a target's final-norm states. It looks up its
 * embeddings in the target's table, and its logits are the target's head rows of its vocabulary.
 */
export interface DraftHead {
  /** What messages call it. */
  readonly id: string;
  /** SHA-256 of its file, hex. */
  readonly contentHash: string;
  /** Token ids of its logits, `[V']`: logit `i` is that of token `vocabulary[i]`. */
  readonly vocabulary: Int32Array;
  /** Its tensors: `inputProjection`, `finalNorm` and those of layer 0; query and key rows in half-split order. */
  tensor(role: string): Omit<StoredTensor, "role"> | undefined;
}

/**
 * The weights of a draft head as those of a small model on its target's. Reads nothing; the target's weights must stay open until
 * the head is loaded.
 *
 * @throws `DecodingError` `SHAPE_MISMATCH` for a head of another width, `UNKNOWN_TOKEN` for tokens that the target has not.
 */
export function headWeights(target: ModelWeights, head: DraftHead): ModelWeights {
  const config = { ...target.config, layers: 1 };
  const { id, contentHash, vocabulary } = head;
  const width = head.tensor("finalNorm")?.shape[0];
  if (width !== config.width) {
    throw new DecodingError("SHAPE_MISMATCH", {
      message: `The head ${id} continues states of width ${width}, but the target's have ${config.width}.`,
      fix: "Use a head that was trained for this model.",
    });
  }
  const foreign = vocabulary.find((token) => token >= config.vocabularySize);
  if (foreign !== undefined) {
    throw new DecodingError("UNKNOWN_TOKEN", {
      message: `The head ${id} drafts token ${foreign}, but the target's vocabulary has ${config.vocabularySize}.`,
      fix: "Use a head that was trained for this model.",
    });
  }
  const rows = rowsOf(target.tensor("head") ?? target.tensor("embedding")!, vocabulary);
  return {
    config,
    contentHash,
    metadata: target.metadata,
    tensor(role) {
      if (role === "embedding" || role === "ropeFactors") return target.tensor(role);
      if (role === "head") return rows;
      const tensor = head.tensor(role);
      return tensor && withRole(role, tensor);
    },
    dispose: async () => {},
  };
}

function withRole(role: WeightRole, { shape, type, read }: Omit<StoredTensor, "role">): StoredTensor {
  return { role, shape, type, read };
}

/** Some rows of a matrix, as stored. */
function rowsOf(matrix: StoredTensor, ids: Int32Array): StoredTensor {
  const { shape, type } = matrix;
  const rowBytes = storedBytes(type, shape[1]);
  return {
    role: "head",
    shape: [ids.length, shape[1]],
    type,
    async read() {
      const all = await matrix.read();
      const rows = new Uint8Array(ids.length * rowBytes);
      ids.forEach((id, row) => {
        rows.set(all.subarray(id * rowBytes, (id + 1) * rowBytes), row * rowBytes);
      });
      return rows;
    },
  };
}
