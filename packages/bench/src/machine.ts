import { availableParallelism, cpus, platform, release, totalmem } from "node:os";

/** What a figure was measured on. */
export interface Machine {
  readonly platform: string;
  readonly cpu: string;
  /** Processors this process may use. */
  readonly processors: number;
  readonly memoryGiB: number;
  readonly node: string;
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  return {
    platform: `${platform()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}
