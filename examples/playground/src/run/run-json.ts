import type { Run } from "./run.ts";

/**
 * A finished run as JSON: what was asked for, of which model, what came of it, and every pass with its tree.
 * `undefined` while the run goes on and after a failure.
 */
export function runJson(run: Run): string | undefined {
  const status = run.status.value;
  if (status.is !== "done") return undefined;
  const { id, contentHash, device, dtype, threads, runtimeVersion } = run.model;
  const passes = run.passes.value.map(({ step, ...pass }) => {
    if (step === undefined) return pass;
    const { position, drafted, accepted, rows, bySource, times, tree, path } = step;
    return { ...pass, position, drafted, accepted, rows, bySource, times, tree, path };
  });
  return JSON.stringify(
    {
      model: { id, contentHash, device, dtype, threads, runtimeVersion },
      request: run.request,
      generation: status.generation,
      passes,
    },
    null,
    2,
  );
}
