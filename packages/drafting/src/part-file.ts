import { DecodingError } from "@foretoken/core";

/**
 * Reads a file of a trained part's folder.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`
 */
export async function readPartFile(folder: string | URL, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const place = placeOf(folder, file);
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
      message: `${place} cannot be read: ${(cause as Error).message}.`,
      fix: "Check the folder of the trained part: it holds a manifest and the files that it names.",
      cause,
    });
  }
}

/** Where a file of a folder lies. */
export function placeOf(folder: string | URL, file: string): string {
  return `${folder}`.replace(/\/?$/, "/") + file;
}
