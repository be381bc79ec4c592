/** Folder of transfer maps that draft for SmolLM2-135M-Instruct (Q4_1): `manifest.json` and `model.safetensors`. */
export const smollm2HiddenTransfer: URL = new URL("../smollm2-hidden-transfer/", import.meta.url);
