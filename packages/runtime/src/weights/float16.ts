/** Float32 value of every 16-bit pattern; 256 KiB that make decoding a lookup. */
const VALUES = /* @__PURE__ */ buildTable();

function buildTable(): Float32Array {
  const values = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const magnitude =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1024 + fraction) * 2 ** (exponent - 25);
    values[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  return values;
}

/** The value of the little-endian IEEE 754 half at `bytes[at]`. */
export function float16At(bytes: Uint8Array, at: number): number {
  return VALUES[bytes[at] | (bytes[at + 1] << 8)];
}
