import type { LoadProgress } from "@foretoken/runtime";
import cliProgress from "cli-progress";
import { say, type Terminal } from "./terminal.ts";

/** Phases shorter than this are not shown. */
const SILENT_MS = 400;

/** Shows the phases of loading on stderr: bars in a terminal, else one line when a long phase begins. */
export class LoadMeter {
  readonly #terminal: Terminal;
  #phase = "";
  #began = 0;
  #isShown = false;
  #bar: cliProgress.SingleBar | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show({ phase, name, loaded, total }: LoadProgress): void {
    if (phase !== this.#phase) {
      this.stop();
      this.#phase = phase;
      this.#began = performance.now();
    }
    if (!this.#isShown && performance.now() - this.#began < SILENT_MS) return;
    if (!this.#terminal.isInteractive) {
      if (!this.#isShown)
        say(this.#terminal, `${phase} ${name}${total > 0 ? ` (${megabytes(total)})` : ""} …`);
    } else if (total > 0) {
      if (this.#bar === undefined) {
        this.#bar = new cliProgress.SingleBar({
          stream: this.#terminal.stderr as NodeJS.WriteStream,
          format: `${phase} ${name} {bar} {percentage} %`,
          hideCursor: true,
          clearOnComplete: true,
        });
        this.#bar.start(total, loaded);
      }
      this.#bar.update(loaded);
    }
    this.#isShown = true;
  }

  /** Takes the bar away. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#isShown = false;
    this.#phase = "";
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
