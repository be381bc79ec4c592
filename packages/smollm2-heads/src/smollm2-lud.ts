/** Folder of paddings for lexical units of SmolLM2-135M-Instruct (Q4_1): `manifest.json` and `model.safetensors`. */
export const smollm2Lud: URL = new URL("../smollm2-lud/", import.meta.url);
