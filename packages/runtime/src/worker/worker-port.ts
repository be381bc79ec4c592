/** Where messages go and come from: a dedicated worker, its own global scope, or a `MessagePort`. */
export interface WorkerPort {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
  /** Of a port, which waits for it. */
  start?(): void;
  /** Of a port. */
  close?(): void;
  /** Of a worker. */
  terminate?(): void;
}
