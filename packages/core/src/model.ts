import type { HiddenSite, Session } from "./session.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A piece that a part adds to the model's graph; the runtime defines its contents. */
export interface GraphExtension {
  readonly name: string;
}

/** What the parts of a decoder need from the model; only what is asked for is built. */
export interface Requirements {
  /** Hidden states of verified rows. */
  readonly hidden?: readonly HiddenSite[];
  /** Hidden states of prompt rows too. */
  readonly prefillHidden?: readonly HiddenSite[];
  /** The `topK` best tokens of every verified row. */
  readonly topK?: number;
  /** The `topK` best tokens of every prompt row too. */
  readonly prefillTopK?: number;
  /** Layers can be switched off per pass. */
  readonly gates?: boolean;
  /** Rows may carry injected embeddings. */
  readonly embeddings?: boolean;
  /** Rows may have siblings, so that one pass verifies a tree. */
  readonly tree?: boolean;
  readonly extensions?: readonly GraphExtension[];
}

/** The union of what several parts need. */
export function mergeRequirements(parts: readonly Requirements[]): Requirements {
  const sites = (pick: (part: Requirements) => readonly HiddenSite[] | undefined) => [
    ...new Set(parts.flatMap((part) => pick(part) ?? [])),
  ];
  const largest = (pick: (part: Requirements) => number | undefined) =>
    Math.max(0, ...parts.map((part) => pick(part) ?? 0));
  const extensions = new Map(parts.flatMap((part) => part.extensions ?? []).map((e) => [e.name, e]));
  return {
    hidden: sites((part) => part.hidden),
    prefillHidden: sites((part) => part.prefillHidden),
    topK: largest((part) => part.topK),
    prefillTopK: largest((part) => part.prefillTopK),
    gates: parts.some((part) => part.gates),
    embeddings: parts.some((part) => part.embeddings),
    tree: parts.some((part) => part.tree),
    extensions: [...extensions.values()],
  };
}

/** Measured or assumed price of a pass. */
export interface CostCurve {
  /** Whether it was measured on this machine. */
  readonly isMeasured: boolean;
  /**
   * Milliseconds of a pass.
   * @param rows - Rows in the pass, at least 1.
   * @param context - Rows in the cache.
   */
  ms(rows: number, context: number): number;
}

/** How a session is created. */
export interface SessionOptions {
  /** Most tokens of text this session may hold; default the model's context length. */
  readonly contextLength?: number;
}

/** A loaded language model: weights on a device, and the pool its sessions share. */
export interface Model {
  /** What the user loaded: a catalog name or a file name. */
  readonly id: string;
  /** SHA-256 of the weights' source, hex; heads and tables are bound to it. */
  readonly contentHash: string;
  /** `cpu`, `wasm`, `webgpu`, or `scripted`. */
  readonly device: string;
  /** The precision the weights run in: `stored`, `fp32`, `q8`, `q4`. */
  readonly dtype: string;
  /** `V`: ids at or above it are never produced. */
  readonly vocabularySize: number;
  /** Most positions of one text. */
  readonly contextLength: number;
  /** `L`. */
  readonly layers: number;
  /** `D`, the width of hidden states. */
  readonly width: number;
  /** `undefined` for a model that only takes token ids. */
  readonly tokenizer: Tokenizer | undefined;
  readonly cost: CostCurve;
  /** Bytes copied from the device to the program so far; left out where they share memory. */
  readonly bytesRead?: number;
  /** Sentences about what this model cannot do of `requirements`; empty when it can do all. */
  unsupported(requirements: Requirements): readonly string[];
  /** Builds what `requirements` add; cheap when nothing is new. Existing sessions stay valid. */
  prepare(requirements: Requirements, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** A session with an empty text. */
  createSession(options?: SessionOptions): Session;
  /** Waits for the running pass, rejects waiting ones, frees device memory. */
  dispose(): Promise<void>;
}
