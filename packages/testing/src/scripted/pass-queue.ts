import { DecodingError, type Wants } from "@foretoken/core";
import type { ContextNode } from "./context-node.ts";
import type { PassRecord } from "./inspection.ts";
import type { ScriptedMachine } from "./scripted-machine.ts";
import { ScriptedPass } from "./scripted-pass.ts";
import type { ScriptedPendingRow } from "./scripted-row.ts";

/** What a call to `forward` brings to its pass. */
export interface CallSource {
  /** Contexts of its rows. */
  readonly nodes: readonly ContextNode[];
  readonly layers: number;
  readonly wants: Wants;
  /** Whether its session is still there. */
  isWanted(): boolean;
  /** Makes its rows pending, one slot each. */
  take(slots: readonly number[]): readonly ScriptedPendingRow[];
}

/** One call that waits for its pass. */
interface Call {
  readonly source: CallSource;
  readonly resolve: (pass: ScriptedPass) => void;
  readonly reject: (error: unknown) => void;
}

/** Collects calls that wait at the same time and runs them as one pass, one layer set at a time. */
export class PassQueue {
  readonly #machine: ScriptedMachine;
  #waiting: Call[] = [];
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(machine: ScriptedMachine) {
    this.#machine = machine;
  }

  /** Answers a call with the next pass that fits it. */
  run(source: CallSource): Promise<ScriptedPass> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ source, resolve, reject });
      this.#machine.counters.faults.onAwait?.("queue");
      this.#running ??= this.#drain();
    });
  }

  /** Rejects the calls that wait, and waits for the pass that runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    // One turn later, so that calls made in the same turn share the pass.
    await undefined;
    while (this.#waiting.length > 0) {
      const { layers } = this.#waiting[0]!.source;
      const calls = this.#waiting.filter(({ source }) => source.layers === layers);
      this.#waiting =
        calls.length === this.#waiting.length ? [] : this.#waiting.filter((call) => !calls.includes(call));
      const running = this.#pass(calls);
      if (running !== undefined) await running;
    }
    this.#running = undefined;
  }

  /** Runs calls as one pass; a promise when the pass takes time. */
  #pass(calls: readonly Call[]): Promise<void> | undefined {
    const { counters } = this.#machine;
    const admitted: Call[] = [];
    const slots: (readonly number[])[] = [];
    for (const call of calls) {
      const taken = this.#mayRun(call) ? this.#allocate(call) : undefined;
      if (taken === undefined) continue;
      admitted.push(call);
      slots.push(taken);
      counters.rows += taken.length;
    }
    if (admitted.length === 0) return undefined;
    const began = performance.now();
    counters.passes++;
    counters.calls += admitted.length;
    if (this.#machine.isRecording) counters.log.push(recordOf(admitted));
    const { delayMs, throwAtPass, onAwait } = counters.faults;
    const isFailing = counters.passes === throwAtPass;
    onAwait?.("run");
    const finish = () => {
      for (const [index, call] of admitted.entries()) this.#answer(call, slots[index]!, began, isFailing);
    };
    if (delayMs !== undefined) return new Promise<void>((done) => setTimeout(done, delayMs)).then(finish);
    finish();
    return undefined;
  }

  #answer(call: Call, slots: readonly number[], began: number, isFailing: boolean): void {
    const { source, resolve, reject } = call;
    if (isFailing) reject(deviceFailed(this.#machine.counters.passes));
    if (isFailing || !this.#mayRun(call)) {
      for (const slot of slots) this.#machine.pool.release(slot);
      return;
    }
    const rows = source.take(slots);
    resolve(new ScriptedPass(this.#machine, rows, source.nodes, source.wants, performance.now() - began));
  }

  #mayRun({ source, reject }: Call): boolean {
    const { signal } = source.wants;
    if (signal?.aborted) reject(aborted(signal));
    else if (this.#isClosed) reject(disposed("model"));
    else if (!source.isWanted()) reject(disposed("session"));
    else return true;
    return false;
  }

  #allocate({ source, reject }: Call): number[] | undefined {
    const { pool } = this.#machine;
    if (pool.room < source.nodes.length) {
      reject(
        new DecodingError("POOL_FULL", {
          message: `The pass needs ${source.nodes.length} cache rows, and ${pool.room} of ${pool.capacity} are free.`,
          fix: "Dispose sessions that are done, or give the model more poolRows.",
        }),
      );
      return undefined;
    }
    return source.nodes.map((node) => pool.allocate(node));
  }
}

function recordOf(calls: readonly Call[]): PassRecord {
  const rows = calls.flatMap(({ source }) => source.nodes);
  return {
    calls: calls.length,
    rows: rows.map(({ content, length }) => ({ token: content.token, position: length - 1 })),
  };
}

/** What a call gets whose signal was aborted. */
export function aborted(signal: AbortSignal): DecodingError {
  return new DecodingError("ABORTED", {
    message: "The pass was aborted by its signal.",
    fix: "Call again without the signal to go on from the last commit.",
    cause: signal.reason,
  });
}

/** What a call gets whose session or model is gone. */
export function disposed(what: "model" | "session"): DecodingError {
  return new DecodingError("DISPOSED", {
    message: `The ${what} was disposed.`,
    fix: `Make a new ${what}.`,
  });
}

function deviceFailed(pass: number): DecodingError {
  return new DecodingError("DEVICE_FAILED", {
    message: `Pass ${pass} failed because the test asked for it.`,
    fix: "Run it again.",
  });
}
