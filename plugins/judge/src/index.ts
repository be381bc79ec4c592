export { judge } from "./judge.ts";
export { type JudgeHead, loadJudge } from "./judge-head.ts";
export type { JudgeOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export type { Verdict } from "./verdict.ts";
