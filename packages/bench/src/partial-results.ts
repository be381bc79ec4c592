import { readFile, rename, writeFile } from "node:fs/promises";
import { DecodingError } from "@foretoken/core";

/**
 * The measurements of a run, kept in a file while it goes on. The file is replaced as a whole under a temporary name, so
 * that a run that is killed leaves the rounds before it, never half of one.
 */
export class PartialResults<Entry> {
  readonly #path: string | undefined;
  readonly #run: unknown;
  readonly #measurements: Entry[];

  private constructor(path: string | undefined, run: unknown, measurements: Entry[]) {
    this.#path = path;
    this.#run = run;
    this.#measurements = measurements;
  }

  /**
   * @param path - Where to keep results; `undefined` keeps them in memory.
   * @param run - What the run is, as plain data.
   * @throws `INVALID_OPTION` when the file belongs to another run or is none of ours.
   */
  static async open<Entry>(path: string | undefined, run: unknown): Promise<PartialResults<Entry>> {
    const text = path === undefined ? undefined : await readIfThere(path);
    if (text === undefined) return new PartialResults(path, run, []);
    const kept = parse<Entry>(text);
    if (kept === undefined || JSON.stringify(kept.run) !== JSON.stringify(run)) {
      throw new DecodingError("INVALID_OPTION", {
        message: `${path} ${kept === undefined ? "holds no partial results" : "holds results of a run with other options"}.`,
        fix: "Name another file, delete this one, or run with the options it was made with.",
      });
    }
    return new PartialResults(path, run, kept.measurements);
  }

  get measurements(): readonly Entry[] {
    return this.#measurements;
  }

  /** Whether the round is there that one of these measurements belongs to. */
  has(isOfRound: (measurement: Entry) => boolean): boolean {
    return this.#measurements.some(isOfRound);
  }

  /** Adds a whole round. */
  async add(round: readonly Entry[]): Promise<void> {
    this.#measurements.push(...round);
    if (this.#path === undefined) return;
    const temporary = `${this.#path}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify({ run: this.#run, measurements: this.#measurements }));
    await rename(temporary, this.#path);
  }
}

function parse<Entry>(text: string): { run: unknown; measurements: Entry[] } | undefined {
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
