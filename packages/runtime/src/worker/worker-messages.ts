import type { PlainError } from "./plain-error.ts";
import type { WorkerGenerateOptions, WorkerModelOptions } from "./worker-model.ts";

/** What a page can ask, by name, and what each takes. */
export interface WorkerCalls {
  load: Omit<WorkerModelOptions, "signal" | "onProgress" | "onWarning" | "startWithinMs"> & {
    /** Where relative addresses belong to. */
    readonly base: string | undefined;
    /** Name of the lock that the worker holds while it lives. */
    readonly lock: string;
  };
  generate: Omit<WorkerGenerateOptions, "signal">;
  calibrate: undefined;
  plugins: undefined;
  endChat: string;
  dispose: undefined;
}

/** From the page: a call, or the wish to end one. */
export type PageMessage = { readonly foretoken: number } & (
  | {
      readonly [Name in keyof WorkerCalls]: {
        readonly call: Name;
        readonly input: WorkerCalls[Name];
        /** Whether it is given up already. */
        readonly isAborted: boolean;
      };
    }[keyof WorkerCalls]
  | { readonly abort: true }
);

/** From the worker, about one call: notes in order, then one result or error. */
export type WorkerMessage = { readonly foretoken: number } & (
  | { readonly note: unknown }
  | { readonly result: unknown }
  | { readonly error: PlainError }
);

/** Whether a message is of this protocol: an application may send its own over the same worker. */
export function isOurs<Message extends PageMessage | WorkerMessage>(data: unknown): data is Message {
  return typeof data === "object" && data !== null && "foretoken" in data;
}
