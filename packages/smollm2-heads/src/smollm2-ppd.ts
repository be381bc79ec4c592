/** Folder of prompt tokens that draft for SmolLM2-135M-Instruct (Q4_1): `manifest.json` and `model.safetensors`. */
export const smollm2Ppd: URL = new URL("../smollm2-ppd/", import.meta.url);
