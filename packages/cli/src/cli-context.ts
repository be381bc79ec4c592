import type { Interruption } from "./interruption.ts";
import type { ModelLoader } from "./load-model.ts";
import type { Terminal } from "./terminal.ts";

/** What commands get from the process, so that tests can give them something else. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where plugins are looked for. */
  readonly cwd: string;
  /** Default: the runtime's `loadModel`. */
  readonly loadModel?: ModelLoader;
}
