import { DecodingError, type Wants } from "@foretoken/core";
import type { ContextNode } from "./context-node.ts";
import type { PassRecord } from "./inspection.ts";
import type { ScriptedMachine } from "./scripted-machine.ts";
import { ScriptedPass } from "./scripted-pass.ts";
import type { ScriptedPendingRow } from "./scripted-row.ts";

/** One call to `forward` that waits for its pass. */
export interface Call {
  /** Contexts of its rows. */
  readonly nodes: readonly ContextNode[];
  readonly layers: number;
  readonly wants: Wants;
  /** Whether its session is still there. */
  isWanted(): boolean;
  /** Makes its rows pending, one slot each. */
  take(slots: readonly number[]): readonly ScriptedPendingRow[];
  resolve(pass: ScriptedPass): void;
  reject(error: unknown): void;
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
  run(call: Omit<Call, "resolve" | "reject">): Promise<ScriptedPass> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...call, resolve, reject });
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
      const { layers } = this.#waiting[0]!;
      const calls = this.#waiting.filter((call) => call.layers === layers);
      this.#waiting = this.#waiting.filter((call) => call.layers !== layers);
      await this.#pass(calls.filter((call) => this.#mayRun(call)));
    }
    this.#running = undefined;
  }

  async #pass(calls: readonly Call[]): Promise<void> {
    const { counters } = this.#machine;
    const admitted = calls.flatMap((call) => {
      const slots = this.#allocate(call);
      return slots === undefined ? [] : [{ call, slots }];
    });
    if (admitted.length === 0) return;
    const began = performance.now();
    const { delayMs, throwAtPass } = counters.faults;
    counters.passes++;
    counters.calls += admitted.length;
    for (const { call } of admitted) counters.rows += call.nodes.length;
    if (this.#machine.isRecording) counters.log.push(recordOf(admitted.map(({ call }) => call)));
    counters.faults.onAwait?.("run");
    if (delayMs !== undefined) await new Promise((done) => setTimeout(done, delayMs));
    const failed = counters.passes === throwAtPass;
    for (const { call, slots } of admitted) {
      if (failed) call.reject(deviceFailed(counters.passes));
      if (failed || !this.#mayRun(call)) {
        for (const slot of slots) this.#machine.pool.release(slot);
        continue;
      }
      const rows = call.take(slots);
      call.resolve(new ScriptedPass(this.#machine, rows, call.nodes, call.wants, performance.now() - began));
    }
  }

  #mayRun(call: Call): boolean {
    if (call.wants.signal?.aborted) call.reject(aborted(call.wants.signal));
    else if (this.#isClosed) call.reject(disposed("model"));
    else if (!call.isWanted()) call.reject(disposed("session"));
    else return true;
    return false;
  }

  #allocate({ nodes, reject }: Call): number[] | undefined {
    const { pool } = this.#machine;
    if (pool.room < nodes.length) {
      reject(
        new DecodingError("POOL_FULL", {
          message: `The pass needs ${nodes.length} cache rows, and ${pool.room} of ${pool.capacity} are free.`,
          fix: "Dispose sessions that are done, or give the model more poolRows.",
        }),
      );
      return undefined;
    }
    return nodes.map((node) => pool.allocate(node));
  }
}

function recordOf(calls: readonly Call[]): PassRecord {
  const rows = calls.flatMap((call) => call.nodes);
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
