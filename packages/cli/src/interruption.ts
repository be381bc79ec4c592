/** Why a command is to end before it is done. */
export type InterruptionCause = "interrupt" | "closed";

/** Ctrl-C, or a reader that closed its end of the pipe, as one signal for everything a command runs. */
export class Interruption {
  readonly #controller = new AbortController();
  #cause: InterruptionCause | undefined;
  #handler: (() => void) | undefined;

  /** Aborted with the first Ctrl-C that nobody intercepts, or when stdout is closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get cause(): InterruptionCause | undefined {
    return this.#cause;
  }

  /** Gives Ctrl-C to `handler` until the returned function is called; for a part that can be stopped alone. */
  intercept(handler: () => void): () => void {
    this.#handler = handler;
    return () => {
      this.#handler = undefined;
    };
  }

  /** @returns Whether there is something left to stop; on `false` the process is to end at once. */
  interrupt(): boolean {
    if (this.#handler !== undefined) {
      const handler = this.#handler;
      this.#handler = undefined;
      handler();
      return true;
    }
    if (this.#cause !== undefined) return false;
    this.#abort("interrupt");
    return true;
  }

  /** Nobody reads the answer any more. */
  close(): void {
    if (this.#cause === undefined) this.#abort("closed");
  }

  #abort(cause: InterruptionCause): void {
    this.#cause = cause;
    this.#controller.abort();
  }
}
