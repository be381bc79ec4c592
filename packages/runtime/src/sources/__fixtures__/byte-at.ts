/** Byte `index` of a file that begins as a GGUF file does. */
export const byteAt = (index: number) => "GGUF".charCodeAt(index) || (index * 7) % 251;
