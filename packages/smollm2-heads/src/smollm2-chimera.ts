/** Folder of a Chimera network for SmolLM2-135M-Instruct (Q4_1): `manifest.json` and `model.safetensors`. */
export const smollm2Chimera: URL = new URL("../smollm2-chimera/", import.meta.url);
