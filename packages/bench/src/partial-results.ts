import { readFile, rename, writeFile } from "node:fs/promises";
import { DecodingError } from "@foretoken/core";
import type { Measurement } from "./run-bench.ts";

/**
 * The measurements of a run, kept in a file while it goes on. The file is replaced as a whole under a temporary name, so
 * that a run that is killed leaves the rounds before it, never half of one.
 */
export class PartialResults {
  readonly #path: string | undefined;
  readonly #run: unknown;
  readonly #measurements: Measurement[];

  private constructor(path: string | undefined, run: unknown, measurements: Measurement[]) {
    this.#path = path;
    this.#run = run;
    this.#measurements = measurements;
  }

  /**
   * @param path - Where to keep results; `undefined` keeps them in memory.
   * @param run - What the run is, as plain data.
   * @throws `INVALID_OPTION` when the file belongs to another run or is none of ours.
   */
  static async open(path: string | undefined, run: unknown): Promise<PartialResults> {
    const text = path === undefined ? undefined : await readIfThere(path);
    if (text === undefined) return new PartialResults(path, run, []);
    const kept = parse(text);
    if (kept === undefined || JSON.stringify(kept.run) !== JSON.stringify(run)) {
      throw new DecodingError("INVALID_OPTION", {
        message: `${path} ${kept === undefined ? "holds no partial results" : "holds results of a run with other options"}.`,
        fix: "Name another file, delete this one, or run with the options it was made with.",
      });
    }
    return new PartialResults(path, run, kept.measurements);
  }

  get measurements(): readonly Measurement[] {
    return this.#measurements;
  }

  /** Whether all contestants answered this prompt in this repeat. */
  has(prompt: string, repeat: number): boolean {
    return this.#measurements.some((one) => one.prompt === prompt && one.repeat === repeat);
  }

  /** Adds a whole round. */
  async add(round: readonly Measurement[]): Promise<void> {
    this.#measurements.push(...round);
    if (this.#path === undefined) return;
    const temporary = `${this.#path}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify({ run: this.#run, measurements: this.#measurements }));
    await rename(temporary, this.#path);
  }
}

function parse(text: string): { run: unknown; measurements: Measurement[] } | undefined {
  try {
    const value = JSON.parse(text);
    return value !== null && "run" in value && Array.isArray(value.measurements) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
