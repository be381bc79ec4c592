export { smollm2Chimera } from "./smollm2-chimera.ts";
export { smollm2Draft } from "./smollm2-draft.ts";
export { smollm2HiddenTransfer } from "./smollm2-hidden-transfer.ts";
export { smollm2Judge } from "./smollm2-judge.ts";
export { smollm2Lud } from "./smollm2-lud.ts";
export { smollm2Ppd } from "./smollm2-ppd.ts";
