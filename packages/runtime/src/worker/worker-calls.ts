import { DecodingError } from "@foretoken/core";
import { fromPlainError } from "./plain-error.ts";
import { isOurs, type WorkerCalls, type WorkerMessage } from "./worker-messages.ts";
import type { WorkerPort } from "./worker-port.ts";

/** What a caller wants besides the result. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Told in order, before the result. */
  readonly onNote?: (note: unknown) => void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onNote: (note: unknown) => void;
}

// Shared by all models, because a worker that failed to load one may be asked again.
let calls = 0;

/** The page's end of a worker: sends calls and settles them, whatever becomes of the worker. */
export class WorkerCaller {
  readonly #port: WorkerPort;
  readonly #pending = new Map<number, Pending>();
  #closed: DecodingError | undefined;

  constructor(port: WorkerPort) {
    this.#port = port;
    port.addEventListener("message", this.#onMessage);
    port.addEventListener("error", this.#onError);
    port.addEventListener("messageerror", this.#onError);
    port.addEventListener("close", this.#onClose);
    port.start?.();
  }

  /** @throws What the worker threw; why the worker was lost or closed; `INVALID_OPTION` for what cannot be posted. */
  call<Name extends keyof WorkerCalls>(
    name: Name,
    input: WorkerCalls[Name],
    options?: CallOptions,
  ): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return this.#send(name, input, options);
  }

  #send<Name extends keyof WorkerCalls>(
    name: Name,
    input: WorkerCalls[Name],
    { signal, onNote = () => {} }: CallOptions = {},
  ): Promise<unknown> {
    const id = ++calls;
    const abort = () => this.#port.postMessage({ foretoken: id, abort: true });
    const settled = new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onNote });
      try {
        this.#port.postMessage({ foretoken: id, call: name, input, isAborted: signal?.aborted === true });
      } catch (cause) {
        this.#pending.delete(id);
        reject(notPlain(cause));
      }
    });
    signal?.addEventListener("abort", abort);
    return settled.finally(() => signal?.removeEventListener("abort", abort));
  }

  /** Rejects everything that is pending, and every later call. */
  close(reason: DecodingError): void {
    this.#refuse(reason);
    this.#port.removeEventListener("message", this.#onMessage);
    this.#port.removeEventListener("error", this.#onError);
    this.#port.removeEventListener("messageerror", this.#onError);
    this.#port.removeEventListener("close", this.#onClose);
  }

  /** Rejects everything with `reason`, and waits until the worker freed its model or is gone. */
  async dispose(reason: DecodingError): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#refuse(reason);
    await this.#send("dispose", undefined).catch(() => {});
  }

  #refuse(reason: DecodingError): void {
    this.#closed ??= reason;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }

  readonly #onMessage = (event: Event) => {
    const { data } = event as MessageEvent<unknown>;
    if (!isOurs<WorkerMessage>(data)) return;
    const pending = this.#pending.get(data.foretoken);
    if (pending === undefined) return;
    if ("note" in data) return pending.onNote(data.note);
    this.#pending.delete(data.foretoken);
    if ("error" in data) pending.reject(fromPlainError(data.error));
    else pending.resolve(data.result);
  };

  // What a worker throws outside of a call may be the call that now never ends: ONNX Runtime's threads throw there.
  readonly #onError = (event: Event) => {
    const { message } = event as Partial<ErrorEvent>;
    this.close(
      lost(message ? `it threw "${message}"` : "its script could not be loaded, or sent what cannot be read"),
    );
  };

  readonly #onClose = () => this.close(lost("it closed its port"));
}

/** @param how - What happened to the worker, behind "The worker is gone: ". */
export function lost(how: string): DecodingError {
  return new DecodingError("WORKER_LOST", {
    message: `The worker is gone: ${how}.`,
    fix: "Start a new worker and load the model again; a page that runs out of memory needs a smaller model or dtype.",
  });
}

function notPlain(cause: unknown): DecodingError {
  return new DecodingError("INVALID_OPTION", {
    message: `The options cannot be sent to a worker: ${cause instanceof Error ? cause.message : String(cause)}.`,
    fix: "Use plain data: parts by name or as JSON, no functions and no built parts.",
    cause,
  });
}
