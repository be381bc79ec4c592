export { DEFAULT_DECODER, defaultDecoder } from "./default-decoder.ts";
export { EXIT } from "./exit-code.ts";
