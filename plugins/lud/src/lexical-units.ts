import { loadTrainedPart, type PartFormat, type TrainedPart } from "@foretoken/drafting";
import { z } from "zod";

/** Sizes of trained paddings, and how sure they must be. */
export interface LexicalUnitsShape {
  readonly width: number;
  /** `k`: tokens of one pass at most, the target's own and one of each padding. */
  readonly lookAhead: number;
  /** `β`: the confidence, in [0, 1], from which what they say was found to be what the target would have said. */
  readonly threshold: number;
  /** What training changed of the target's weights besides, when it did: a file of deltas beside the part's. */
  readonly deltas?: { readonly file: string; readonly sha256: string };
}

/** Trained paddings. */
export type LexicalUnits = TrainedPart<LexicalUnitsShape>;

/** What the files of paddings hold: tensor `embeddings`, `[lookAhead - 1, width]`, in order of their places. */
const LEXICAL_UNITS: PartFormat<LexicalUnitsShape> = {
  kind: "lexical-units",
  shape: z.object({
    width: z.int().min(1),
    lookAhead: z.int().min(2),
    threshold: z.number().min(0).max(1),
    deltas: z.object({ file: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
  }),
  tensors: ({ lookAhead, width }) => ({ embeddings: ["F32", [lookAhead - 1, width]] }),
};

/**
 * Loads paddings from the folder that holds their `manifest.json`.
 *
 * @param folder - An address; in Node also a path.
 * @returns The part; where deltas were trained with it, its manifest's `base` are the weights with them.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`, `CHECKSUM_MISMATCH`
 */
export async function loadLexicalUnits(folder: string | URL): Promise<LexicalUnits> {
  const part = await loadTrainedPart(folder, LEXICAL_UNITS);
  const { base, shape } = part.manifest;
  if (shape.deltas === undefined) return part;
  const file = `${base.file} with ${shape.deltas.file}`;
  const sha256 = await adaptedHash(base.sha256, shape.deltas.sha256);
  return { ...part, manifest: { ...part.manifest, base: { ...base, file, sha256 } } };
}

/** `Model.contentHash` of weights that were loaded with deltas. */
async function adaptedHash(base: string, deltas: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${base} ${deltas}`));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
