import { DecodingError, type Model } from "@foretoken/core";
import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What is common to manifests of all kinds. */
const common = z.object({
  format: z.literal("foretoken-head"),
  version: z.literal(1),
  kind: z.string(),
  name: z.string().min(1),
  base: z.object({ file: z.string(), sha256, dequantizedSha256: sha256 }),
  weights: z.object({ file: z.string().regex(/^[\w.-]+$/), bytes: z.int().min(1), sha256 }),
});

/** Sizes of a trained part; all of them belong to states of one width. */
export interface PartShape {
  /** `D` of the target. */
  readonly width: number;
}

/** What a trained part is, and which weights it belongs to. How it was trained stands beside it, for people. */
export interface PartManifest<Shape extends PartShape = PartShape> {
  /** What it does, such as `feature-head`. */
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
  readonly shape: Shape;
}

/**
 * Reads the manifest of a trained part.
 *
 * @param name - What messages call the file.
 * @param shape - Reads the sizes of a part of this kind.
 * @throws `CORRUPT_MODEL` for what is none of this version and kind.
 */
export function readManifest<Shape extends PartShape>(
  text: string,
  name: string,
  { kind, shape }: { readonly kind: string; readonly shape: z.ZodType<Shape> },
): PartManifest<Shape> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, (cause as Error).message, cause);
  }
  const { success, data, error } = common.extend({ kind: z.literal(kind), shape }).safeParse(json);
  if (success) return data as PartManifest<Shape>;
  const [issue] = error.issues;
  throw invalid(name, `${issue.path.join(".") || "the whole"}: ${issue.message}`, error);
}

/** Why a part does not fit `target`, as a sentence; `undefined` when it does: it was trained on these very weights. */
export function partMisfit({ name, base, shape }: PartManifest, target: Model): string | undefined {
  if (target.contentHash !== base.sha256) {
    return `${name} was trained on ${base.file} (SHA-256 ${base.sha256.slice(0, 12)}…), but ${target.id} has other weights (${target.contentHash.slice(0, 12)}…).`;
  }
  if (target.width === shape.width) return undefined;
  return `${name} works on states of width ${shape.width}, but those of ${target.id} have ${target.width}.`;
}

function invalid(name: string, what: string, cause: unknown): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `${name} is no manifest of a trained part that this version reads: ${what}.`,
    fix: "Install the part's package again, in a version that fits @foretoken/drafting.",
    cause,
  });
}
