import type {
  FinishEvent,
  Generation,
  GenerationChunk,
  PrefillEvent,
  StartEvent,
  StepEvent,
  TreeNodeData,
} from "@foretoken/core";

/** A node of a verified tree with its text, which the page could not make: the tokenizer is in the worker. */
export interface WorkerTreeNode extends TreeNodeData {
  /** The token alone, as text; U+FFFD stands for bytes of an incomplete character. */
  readonly text: string;
}

/** A target pass made tokens final. Comes before the chunk with its text. */
export interface WorkerStepEvent extends Omit<StepEvent, "tree"> {
  /** The verified tree, node 0 the root; empty for a decoder that does not draft. */
  readonly tree: readonly WorkerTreeNode[];
}

/** A piece of the answer. */
export interface WorkerChunkEvent extends GenerationChunk {
  /**
   * What each of `tokens` added to the text, same length: empty for a control token and within a character. A chunk without
   * tokens ends the text and has one piece, what was left of an incomplete character. All pieces of an answer joined are its
   * text, but for a stop string, which they hold and `text` does not.
   */
  readonly pieces: readonly string[];
}

/**
 * What a generation in a worker tells, as plain data and in the order it happened. `result` is the last, unless the generation
 * fails.
 */
export type WorkerEvent =
  | ({ readonly type: "start" } & StartEvent)
  | ({ readonly type: "prefill" } & PrefillEvent)
  | ({ readonly type: "step" } & WorkerStepEvent)
  | ({ readonly type: "chunk" } & WorkerChunkEvent)
  | ({ readonly type: "finish" } & FinishEvent)
  | { readonly type: "result"; readonly generation: Generation };
