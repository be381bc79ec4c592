import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { DecodingError, type ErrorCode } from "@foretoken/core";
import type { ProbeRequest, ProbeResult } from "./probe.ts";

/** How a probe's process is started. */
export interface ProbeProcess {
  /** The script to run; default this package's own, which the build makes. */
  readonly script?: string;
  /** Cache folder of the process; default the usual one. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs a probe in a process of its own, so that nothing this process did before counts.
 * @throws What the probe threw, `PART_FAILED` when it ended without a result, and the signal's reason.
 */
export async function runProbe(
  request: ProbeRequest,
  {
    script = fileURLToPath(new URL("./probe-process.js", import.meta.url)),
    cache,
    signal,
  }: ProbeProcess = {},
): Promise<ProbeResult> {
  const child = spawn(process.execPath, ["--expose-gc", script, JSON.stringify(request)], {
    env: cache === undefined ? process.env : { ...process.env, FORETOKEN_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (errors = (errors + data).slice(-2000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const last = output.trim().split("\n").at(-1) ?? "";
  if (code === 0) return JSON.parse(last);
  const told = last.startsWith("{") ? (JSON.parse(last) as { code?: ErrorCode; message: string }) : undefined;
  throw new DecodingError(told?.code ?? "PART_FAILED", {
    message: told?.message ?? `The measuring process ended with code ${code}: ${errors.trim()}`,
    fix: "Load the model with foretoken doctor to see more.",
  });
}
