import type { ByteSource } from "./byte-source.ts";
import { Sha256 } from "./sha256.ts";

const SAMPLES = 128;
const SAMPLE_BYTES = 4096;

/** SHA-256, in hex, of samples from a whole file: a lost write leaves zeros at the right length. */
export async function sampleHash(source: ByteSource): Promise<string> {
  const hash = new Sha256();
  const length = Math.min(SAMPLE_BYTES, source.size);
  for (let sample = 0; sample < SAMPLES; sample++) {
    const at = Math.floor(((source.size - length) * sample) / (SAMPLES - 1));
    hash.update(await source.read(at, length));
  }
  return hash.hex();
}
