export { cntp } from "./cntp.ts";
export type { CntpOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export {
  type Consensus,
  type SelfConsistencyOptions,
  selfConsistency,
  type Vote,
} from "./self-consistency.ts";
export type { TrialOutcome, TrialsReport } from "./trials-report.ts";
