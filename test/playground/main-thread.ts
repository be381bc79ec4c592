import type { Browser, Page } from "playwright-core";

/** What Chromium's trace says of one piece of work. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly dur?: number;
  /** Microseconds the thread itself was running, without what other processes took from it. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Traces what the page's main thread does during `work`.
 *
 * @returns Milliseconds of its longest tasks, the longest first: time the thread ran, because on a busy machine a task of
 * any length may be interrupted.
 */
export async function longestTasks(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<readonly number[]> {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata", "blink.user_timing"] });
  await page.evaluate(() => performance.mark("traced-page"));
  await work();
  // A task is written down when it ends, which may be after its work is known to be done.
  await page.waitForTimeout(100);
  const trace: { readonly traceEvents: readonly TraceEvent[] } = JSON.parse(
    (await browser.stopTracing()).toString(),
  );
  const events = trace.traceEvents;
  const marked = events.find(({ name }) => name === "traced-page");
  if (marked === undefined) throw new Error("The trace does not hold the page's mark.");
  const tasks = events.filter(
    ({ name, ph, pid, tid }) =>
      name.endsWith("RunTask") && ph === "X" && pid === marked.pid && tid === marked.tid,
  );
  if (tasks.length === 0) throw new Error("The trace holds no task of the page's main thread.");
  return tasks.map(({ dur = 0, tdur = dur }) => tdur / 1000).sort((a, b) => b - a);
}
