/** Folder of a judge for SmolLM2-135M-Instruct (Q4_1, weights as stored): `judge.json` and `manifest.json`. */
export const smollm2Judge: URL = new URL("../smollm2-judge/", import.meta.url);
