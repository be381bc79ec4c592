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

/**
 * Rounds to the nearest half, ties to even; beyond 65504 to infinity.
 *
 * @returns IEEE 754 bit patterns `[values.length]`.
 */
export function float16Bits(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) halves[i] = halfOf(bits[i]);
  return halves;
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 255;
  const fraction = bits & 0x7fffff;
  if (exponent === 255) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  // Where the half's last place lies in the fraction: 13 bits up, more for halves too small to be normal.
  const shift = exponent < 113 ? 126 - exponent : 13;
  if (shift > 24) return sign;
  const whole = exponent < 113 ? fraction | 0x800000 : ((exponent - 112) << 23) | fraction;
  const half = whole >>> shift;
  const rest = whole & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  const rounded = half + (rest > middle || (rest === middle && half & 1) ? 1 : 0);
  return sign | Math.min(rounded, 0x7c00);
}
