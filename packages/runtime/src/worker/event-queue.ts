/** What is pushed, in order, to one reader that comes when it likes. */
export class EventQueue<T> {
  #waiting: T[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(value: T): void {
    this.#waiting.push(value);
    this.#wake?.();
  }

  /** Nothing comes any more; the reader still gets what waits. */
  end(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  /** As {@link EventQueue.end}, then the reader throws. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *read(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift()!;
      if (this.#end !== undefined) {
        if ("error" in this.#end) throw this.#end.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
