let tail: Promise<unknown> = Promise.resolve();

/**
 * Runs `work` when everything queued before it is done. All calls into ONNX Runtime of a process go through here:
 * overlapping calls hang its WebGPU provider, and on a CPU they only fight for the same cores.
 */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = tail.then(work);
  tail = result.catch(() => undefined);
  return result;
}
