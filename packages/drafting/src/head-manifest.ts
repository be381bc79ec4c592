import { DecodingError, type Model } from "@foretoken/core";
import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().min(1);

const schema = z.object({
  format: z.literal("foretoken-head"),
  version: z.literal(1),
  kind: z.string(),
  name: z.string().min(1),
  base: z.object({ file: z.string(), sha256, dequantizedSha256: sha256 }),
  weights: z.object({ file: z.string().regex(/^[\w.-]+$/), bytes: size, sha256 }),
  shape: z.object({
    width: size,
    heads: size,
    keyValueHeads: size,
    headSize: size,
    feedForwardWidth: size,
    vocabulary: size,
  }),
});

/** What a trained head is, and which weights it belongs to. How it was trained stands beside it, for people. */
export interface HeadManifest {
  /** What it does: `feature-head` continues the target's final-norm states. */
  readonly kind: string;
  readonly name: string;
  /** The target's weights that it was trained on. */
  readonly base: {
    readonly file: string;
    /** SHA-256 of that file, hex: the target's `Model.contentHash`. */
    readonly sha256: string;
    /**
     * SHA-256 of its weights as float32, little-endian, tensors in order of their names: equal for files that hold the same numbers
     * in another format.
     */
    readonly dequantizedSha256: string;
  };
  readonly weights: { readonly file: string; readonly bytes: number; readonly sha256: string };
  readonly shape: HeadShape;
}

/** Sizes of a feature head: one decoder layer of the target's shape, and the rows of its reduced vocabulary. */
export interface HeadShape {
  readonly width: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly feedForwardWidth: number;
  /** `V'`: tokens that the head can draft. */
  readonly vocabulary: number;
}

/**
 * Reads the manifest of a trained head.
 *
 * @param name - What messages call the file.
 * @throws `CORRUPT_MODEL` for what is none of this version.
 */
export function readManifest(text: string, name: string): HeadManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, (cause as Error).message, cause);
  }
  const { success, data, error } = schema.safeParse(json);
  if (!success) {
    const [issue] = error.issues;
    throw invalid(name, `${issue.path.join(".") || "the whole"}: ${issue.message}`, error);
  }
  return data;
}

function invalid(name: string, what: string, cause: unknown): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `${name} is no manifest of a head that this version reads: ${what}.`,
    fix: "Install the head's package again, in a version that fits @foretoken/drafting.",
    cause,
  });
}

/** Why a head cannot draft for `target`, as a sentence; `undefined` when it can: it was trained on these very weights. */
export function headMisfit({ name, base, shape }: HeadManifest, target: Model): string | undefined {
  if (target.contentHash !== base.sha256) {
    return `The head ${name} was trained on ${base.file} (SHA-256 ${base.sha256.slice(0, 12)}…), but ${target.id} has other weights (${target.contentHash.slice(0, 12)}…).`;
  }
  if (target.width === shape.width) return undefined;
  return `The head ${name} continues states of width ${shape.width}, but those of ${target.id} have ${target.width}.`;
}
