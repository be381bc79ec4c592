/**
 * The byte alphabet of GPT-2 style vocabularies: each of the 256 bytes as one printable character.
 *
 * Printable Latin-1 characters stand for themselves; the other bytes take the characters from U+0100 on, in order.
 *
 * @see Radford et al. 2019, `bytes_to_unicode` in https://github.com/openai/gpt-2/blob/master/src/encoder.py
 */
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(isPrintable(byte) ? byte : next++), byte]),
  );
})();

const utf8 = new TextEncoder();

/** The 256 characters of the alphabet, in byte order. */
export const BYTE_CHARACTERS: readonly string[] = [...BYTE_OF_CHARACTER.keys()];

/** The bytes a vocabulary entry stands for. Characters outside the alphabet stand for their own UTF-8 bytes. */
export function bytesOfEntry(entry: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of entry) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) bytes.push(...utf8.encode(character));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
