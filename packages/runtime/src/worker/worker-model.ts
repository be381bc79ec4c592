import type { GenerateOptions, Generation, PartDescription, PartJson } from "@foretoken/core";
import type { CostTable } from "../cost-curve.ts";
import type { LoadModelOptions } from "../load-model.ts";
import type { SelfTestVerdict } from "../self-test.ts";
import type { WorkerEvent } from "./worker-events.ts";

/** A part as a page names it: the name of a plugin that the worker registered, or JSON. */
export type WorkerPart = string | PartJson;

/** What a worker loads, and how; options as those of `loadModel`. */
export interface WorkerModelOptions
  extends Pick<
    LoadModelOptions,
    "device" | "dtype" | "threads" | "poolRows" | "offline" | "signal" | "onProgress" | "onWarning"
  > {
  /**
   * A catalog name, the address of a GGUF file (resolved against the page), or the file itself. A `Blob` crosses without a copy.
   */
  readonly source: string | Blob;
  /** Milliseconds the worker's script may take until it answers; default 30,000. */
  readonly startWithinMs?: number;
}

/** The price of passes on a grid of rows and context lengths. */
export interface WorkerCost {
  /** Whether it was measured on this machine; else it is assumed. */
  readonly isMeasured: boolean;
  readonly table: CostTable;
}

/** What is known about a loaded model, as plain data. */
export interface WorkerModelInfo {
  /** The catalog name, or the file's name. */
  readonly id: string;
  /** SHA-256 of the file, hex. */
  readonly contentHash: string;
  /** What computes: `webgpu`, `wasm`, `cpu`. */
  readonly device: string;
  /** Why, in one sentence. */
  readonly deviceReason: string;
  /** Precision of the weights in use. */
  readonly dtype: string;
  /** `V` */
  readonly vocabularySize: number;
  /** Most tokens of one text. */
  readonly contextLength: number;
  /** `L` */
  readonly layers: number;
  /** `D` */
  readonly width: number;
  readonly hasChatTemplate: boolean;
  /** Version of the ONNX Runtime package. */
  readonly runtimeVersion: string;
  readonly threads: number;
  /** Whether this device verifies trees, and by how much it errs. */
  readonly selfTest: SelfTestVerdict;
  readonly cost: WorkerCost;
}

/** Options of {@link WorkerModel.generate}: those of core's `generate()` that plain data can hold. */
export interface WorkerGenerateOptions
  extends Omit<GenerateOptions, "decoder" | "processors" | "session" | "events"> {
  /** Default `plain`. A list of drafters becomes `speculative`. */
  readonly decoder?: WorkerPart | readonly WorkerPart[];
  /** Processors by name, applied in order. */
  readonly processors?: readonly WorkerPart[];
  /**
   * Names a conversation: its session is kept, so that a follow-up runs only what is new in the prompt, and drafters remember.
   * Generations of one conversation wait for each other. Left out, the cache is freed after the answer.
   */
  readonly chat?: string;
}

/**
 * An answer that streams out of a worker. It starts at once and does not wait for its reader: events are kept until they are
 * read, once. Leaving the loop early ends the generation.
 */
export interface WorkerGeneration extends AsyncIterable<WorkerEvent> {
  /** The finished answer; after an abort or an early end of the loop what was made so far, with finish `aborted`. */
  readonly result: Promise<Generation>;
}

/** A model in a worker. Every method rejects with `WORKER_LOST` once the worker is gone, and `DISPOSED` after `dispose`. */
export interface WorkerModel {
  /** The newest: `calibrate` changes its cost. */
  readonly info: WorkerModelInfo;
  /**
   * Answers a prompt. Several generations at once share the passes of the model.
   *
   * @throws From the iteration and from `result`, what core's `generate()` throws; also `UNKNOWN_PART`, `WRONG_KIND`,
   * `WORKER_LOST`, `DISPOSED`.
   */
  generate(options: WorkerGenerateOptions): WorkerGeneration;
  /** Measures what passes cost on this machine and keeps it; a few seconds. @throws `ABORTED`, `WORKER_LOST`, `DISPOSED` */
  calibrate(options?: { readonly signal?: AbortSignal }): Promise<WorkerCost>;
  /** The parts the worker registered, with the JSON Schema of their options. @throws `WORKER_LOST`, `DISPOSED` */
  plugins(): Promise<readonly PartDescription[]>;
  /** Frees the cache of a conversation; unknown names are fine. Its running generation ends first. */
  endChat(chat: string): Promise<void>;
  /**
   * Frees the model and ends the worker; what is pending rejects with `DISPOSED`. Calling it twice is harmless, and it
   * succeeds for a worker that is gone.
   */
  dispose(): Promise<void>;
}
