import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { Executable, OutputRows, Run } from "./backend.ts";
import { type DeviceRows, pastOf, presentNames, presentOf } from "./device-rows.ts";
import { hostRows } from "./host-rows.ts";
import { type Feeds, type OnnxRuntime, toTensor } from "./onnx-runtime.ts";
import { inTurn } from "./run-queue.ts";

/** What an executable needs of its backend. */
export interface DeviceHost {
  readonly runtime: OnnxRuntime;
  /** Whether a run writes into the tensors it is given; else it makes new ones, and keeps every output it ever had. */
  readonly bindsOutputs: boolean;
  /** Copies rows of an output `[1, R, W]` from the device. */
  readRows(values: Tensor, first: number, count: number): Promise<Float32Array>;
  /** Counts bytes that came from the device. */
  countRead(bytes: number): void;
  /** Begins work on the device; rejects at once when that is lost, since the work may never end. */
  orLost<T>(begin: () => Promise<T>): Promise<T>;
}

/** A session whose cache is input and output at once, in buffers of the device. */
export class WebGpuExecutable implements Executable {
  readonly #host: DeviceHost;
  readonly #session: InferenceSession;
  readonly #store: DeviceRows;
  /** Outputs that lie on the device and were not disposed. */
  #held = 0;
  #isReleased = false;

  constructor(host: DeviceHost, session: InferenceSession, store: DeviceRows) {
    this.#host = host;
    this.#session = session;
    this.#store = store;
  }

  run(run: Run): Promise<Record<string, OutputRows>> {
    return this.#host.orLost(() => this.#run(run));
  }

  async #run({ feeds, outputs }: Run): Promise<Record<string, OutputRows>> {
    const buffers = await this.#store.settled();
    const all: Feeds = { ...buffers };
    for (const name in feeds) all[name] = toTensor(this.#host.runtime, feeds[name]);
    const results = this.#host.bindsOutputs
      ? await this.#session.run(all, {
          ...presentOf(buffers),
          ...Object.fromEntries(outputs.map((name) => [name, null])),
        })
      : await this.#session.run(all);
    if (!this.#host.bindsOutputs) {
      this.#store.replace(pastOf(results, this.#store.layers));
      this.#disposeUnasked(results, outputs);
    }
    return Object.fromEntries(outputs.map((name) => [name, this.#rows(results[name])]));
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    const { bindsOutputs, orLost } = this.#host;
    await orLost(async () => {
      if (!bindsOutputs) await this.#store.detach();
      await this.#releaseSession();
    }).catch(() => undefined);
  }

  /** Ends the session when nothing that it made is left. */
  async #releaseSession(): Promise<void> {
    if (this.#isReleased && this.#held === 0) await this.#session.release();
  }

  /** Frees outputs on the device that came without being asked for; the cache is not among them. */
  #disposeUnasked(results: InferenceSession.OnnxValueMapType, outputs: readonly string[]): void {
    const kept = new Set([...outputs, ...presentNames(this.#store.layers)]);
    for (const [name, tensor] of Object.entries(results)) {
      if (!kept.has(name) && tensor.location !== "cpu") tensor.dispose();
    }
  }

  #rows(output: Tensor): OutputRows {
    const width = output.dims[output.dims.length - 1];
    if (output.location === "cpu") {
      const { data } = output;
      this.#host.countRead((data as Float32Array | BigInt64Array).byteLength);
      return hostRows(
        data instanceof BigInt64Array ? Float32Array.from(data, Number) : (data as Float32Array),
        width,
      );
    }
    this.#held++;
    return {
      width,
      isHost: false,
      read: (first, count) => this.#host.orLost(() => this.#host.readRows(output, first, count)),
      dispose: () => {
        output.dispose();
        this.#held--;
        if (this.#isReleased)
          void inTurn(() => this.#host.orLost(() => this.#releaseSession())).catch(() => undefined);
      },
    };
  }
}
