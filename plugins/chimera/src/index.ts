export { chimera } from "./chimera.ts";
export { chimeraDraft } from "./chimera-draft.ts";
export { type ChimeraHead, type ChimeraShape, loadChimera } from "./chimera-head.ts";
export type { ChimeraDraftOptions, ChimeraOptions } from "./options.ts";
export { plugins } from "./plugin.ts";
