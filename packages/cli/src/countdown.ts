import { say, type Terminal } from "./terminal.ts";

/** Without a terminal a line is written so often. */
const LINE_EVERY_MS = 15_000;

/** How far a long measurement is, on stderr: one line that changes in a terminal, else a line now and then. */
export class Countdown {
  readonly #terminal: Terminal;
  #began: number | undefined;
  #atStart = 0;
  #told = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(done: number, total: number, what: string): void {
    const now = performance.now();
    if (this.#began === undefined || done < this.#atStart) {
      this.#began = now;
      this.#atStart = done;
    }
    const perUnit = done > this.#atStart ? (now - this.#began) / (done - this.#atStart) : undefined;
    const left = perUnit === undefined ? "" : `, ${duration((total - done) * perUnit)} left`;
    const line = `${done} of ${total}${left} · ${what}`;
    if (this.#terminal.isInteractive) {
      this.#terminal.stderr.write(`\r\x1b[K${line}`);
    } else if (now - this.#told > LINE_EVERY_MS) {
      this.#told = now;
      say(this.#terminal, line);
    }
  }

  /** Takes the line away. */
  stop(): void {
    if (this.#terminal.isInteractive && this.#began !== undefined) this.#terminal.stderr.write("\r\x1b[K");
  }
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
