/** Folder of a feature head that drafts for SmolLM2-135M-Instruct (Q4_1): `manifest.json` and `model.safetensors`. */
export const smollm2Draft: URL = new URL("../smollm2-draft/", import.meta.url);
