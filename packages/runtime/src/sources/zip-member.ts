import { DecodingError } from "@foretoken/core";

/**
 * The bytes of one file inside a zip archive, streamed.
 *
 * @throws `DecodingError` `DOWNLOAD_FAILED` when the archive is damaged or holds no such file.
 */
export async function* zipMember(path: string, member: string): AsyncGenerator<Uint8Array, void, undefined> {
  const damaged = (problem: string, cause?: unknown) =>
    new DecodingError("DOWNLOAD_FAILED", {
      message: `"${path}" ${problem}.`,
      fix: "Try again; nothing incomplete was kept.",
      cause,
    });
  const { default: yauzl } = await import("yauzl");
  let archive: Awaited<ReturnType<typeof yauzl.openPromise>> | undefined;
  try {
    archive = await yauzl.openPromise(path, { autoClose: false });
    for await (const entry of archive.eachEntry()) {
      if (entry.fileName !== member) continue;
      yield* await archive.openReadStreamPromise(entry);
      return;
    }
  } catch (error) {
    throw damaged(`cannot be unpacked: ${error instanceof Error ? error.message : error}`, error);
  } finally {
    archive?.close();
  }
  throw damaged(`holds no "${member}"`);
}
