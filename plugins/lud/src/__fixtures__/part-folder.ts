import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Writes paddings as training does, and returns their folder. */
export function partFolder({
  base,
  embeddings,
  shape,
}: {
  /** SHA-256 of the target's weights, hex. */
  readonly base: string;
  /** `[lookAhead - 1, width]` */
  readonly embeddings: Float32Array;
  readonly shape: { readonly width: number; readonly lookAhead: number } & Readonly<Record<string, unknown>>;
}): string {
  const folder = mkdtempSync(join(tmpdir(), "lud-"));
  const size = [embeddings.length / shape.width, shape.width];
  const offsets = [0, embeddings.byteLength];
  const header = new TextEncoder().encode(
    JSON.stringify({ embeddings: { dtype: "F32", shape: size, data_offsets: offsets } }),
  );
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  const bytes = Buffer.concat([length, header, new Uint8Array(embeddings.buffer)]);
  const manifest = {
    format: "foretoken-head",
    version: 1,
    kind: "lexical-units",
    name: "tiny-lud",
    base: { file: "tiny.gguf", sha256: base, dequantizedSha256: base },
    weights: { file: "model.safetensors", bytes: bytes.length, sha256: sha256(bytes) },
    shape,
  };
  writeFileSync(join(folder, "model.safetensors"), bytes);
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
  return folder;
}
