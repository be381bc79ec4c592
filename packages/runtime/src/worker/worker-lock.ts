/**
 * Nothing tells a page that its worker was terminated or ran out of memory, so the worker holds a lock while it lives and
 * the page waits in line for it: browsers release the locks of what has ended.
 */

/** Holds a lock until the returned function is called; at once where there are no locks. */
export function holdLock(name: string): Promise<() => void> {
  const { locks } = globalThis.navigator ?? {};
  if (locks === undefined) return Promise.resolve(() => {});
  return new Promise((held, failed) => {
    locks.request(name, () => new Promise<void>((release) => held(release))).catch(failed);
  });
}

/** Calls `listener` once nobody holds the lock any more; never where there are no locks, or after `signal` aborts. */
export function whenReleased(name: string, signal: AbortSignal, listener: () => void): void {
  globalThis.navigator?.locks?.request(name, { signal }, listener).catch(() => {}); // Rejects when it is given up.
}
