import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { DecodingError } from "@foretoken/core";
import type { WeightDeltas } from "@foretoken/runtime";

/** Reads a file of trained low-rank deltas. @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL` */
export async function loadDeltas(path: string): Promise<WeightDeltas> {
  const { readDeltas } = await import("@foretoken/drafting");
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new DecodingError("MODEL_NOT_FOUND", {
      message: `The deltas ${path} cannot be read: ${(cause as Error).message}.`,
      fix: "Check the path that --deltas gives.",
      cause,
    });
  }
  return readDeltas(bytes, basename(path));
}
