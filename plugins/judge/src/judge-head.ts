import { DecodingError, type Model } from "@foretoken/core";
import { placeOf, readPartFile } from "@foretoken/drafting";
import { z } from "zod";

const schema = z.object({
  format: z.literal("foretoken-head"),
  version: z.literal(1),
  kind: z.literal("judge"),
  name: z.string().min(1),
  base: z.object({ file: z.string(), sha256: z.string().min(1) }),
  dtypes: z.array(z.string()).min(1),
  threshold: z.number().min(0).lt(1),
  weight: z.array(z.number()).min(1),
  bias: z.number(),
});

/**
 * A trained judge: `sigmoid(weight · e + bias)` is how probable it holds a drafted token to be right, with `e` the target's state
 * before the final norm at the token's own row. Plain data; how it was trained stands beside it, for people.
 */
export interface JudgeHead {
  readonly format: "foretoken-head";
  readonly version: 1;
  readonly kind: "judge";
  readonly name: string;
  /** The target's weights that it was trained on: their file, and its SHA-256, hex, which is `Model.contentHash`. */
  readonly base: { readonly file: string; readonly sha256: string };
  /** Precisions of those weights on whose states it was checked. */
  readonly dtypes: readonly string[];
  /** `δ`, chosen with the training: a score must be above it. In [0, 1). */
  readonly threshold: number;
  /** `w` `[D]` */
  readonly weight: readonly number[];
  readonly bias: number;
}

/** The file that a judge's folder holds. */
const FILE = "judge.json";

/**
 * Loads a judge from the folder that holds its `judge.json`.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`
 */
export async function loadJudge(folder: string | URL): Promise<JudgeHead> {
  const place = placeOf(folder, FILE);
  const text = new TextDecoder().decode(await readPartFile(folder, FILE));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw corrupt(place, (cause as Error).message);
  }
  return readJudge(json, place);
}

/**
 * Checks what a file of a judge holds.
 *
 * @param name - What messages call it.
 * @throws `CORRUPT_MODEL`
 */
export function readJudge(json: unknown, name: string): JudgeHead {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const [{ path, message }] = error.issues;
  throw corrupt(name, `${path.join(".") || "the whole"}: ${message}`);
}

/** Why a judge cannot judge the drafts of `model`, as a sentence; `undefined` when it can: it was trained on these very weights. */
export function judgeMisfit({ name, base, dtypes, weight }: JudgeHead, model: Model): string | undefined {
  if (model.contentHash !== base.sha256) {
    return `The judge ${name} was trained on ${base.file} (SHA-256 ${base.sha256.slice(0, 12)}…), but ${model.id} has other weights (${model.contentHash.slice(0, 12)}…).`;
  }
  if (!dtypes.includes(model.dtype)) {
    return `The judge ${name} was checked on states of ${dtypes.join(" and ")}, but ${model.id} runs in ${model.dtype}.`;
  }
  if (model.width === weight.length) return undefined;
  return `The judge ${name} reads states of width ${weight.length}, but those of ${model.id} have ${model.width}.`;
}

/**
 * How probable a judge holds a token to be right, in [0, 1]; NaN for a state with NaN.
 * @param state - `e` `[D]`
 */
export function judgeScore({ weight, bias }: JudgeHead, state: Float32Array): number {
  let logit = bias;
  for (let index = 0; index < weight.length; index++) logit += weight[index] * state[index];
  return 1 / (1 + Math.exp(-logit));
}

function corrupt(name: string, what: string): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `${name} is no judge that this version reads: ${what}.`,
    fix: "Install the judge's package again, in a version that fits @foretoken/judge.",
  });
}
