import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";

/** What a process left behind. */
export interface ProcessResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process is run. */
export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Called with everything stdout holds so far. */
  readonly onOutput?: (text: string, child: ChildProcessWithoutNullStreams) => void;
}

/** Runs a Node script to its end. */
export async function runProcess(
  script: string,
  argv: readonly string[],
  { env, stdin = "", onOutput }: ProcessOptions = {},
): Promise<ProcessResult> {
  const child = spawn(process.execPath, [script, ...argv], { env: { ...process.env, ...env } });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    output.stdout += data;
    onOutput?.(output.stdout, child);
  });
  child.stderr.on("data", (data) => {
    output.stderr += data;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const [code] = await once(child, "close");
  return { code, ...output };
}
