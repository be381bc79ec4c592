import type { HiddenSite } from "@foretoken/core";

/** Names of the inputs and outputs of a decoder graph. `T`: rows of the pass, `S`: rows that attention looks at. */
export const PORTS = {
  /** Input embeddings, float32 `[1, T, D]`. */
  embeddings: "embeddings",
  /** States beside the embeddings, float32 `[1, T, D]`; for draft heads. */
  features: "features",
  /** Positions in the text, int64 `[1, T]`. */
  positions: "positions",
  /**
   * Added to attention scores, float32 `[1, T · heads / kvHeads, S]`, each row of the pass repeated for the heads that
   * share a key head: 0 where a row may look, a large negative number elsewhere. `[1, 1, T, S]` for fused attention.
   */
  bias: "bias",
  /** For fused attention, int32 `[1]`: the last slot of the pass, and one more, `S`. */
  lastSlot: "last_slot",
  extent: "extent",
  /** Rows whose logits are computed, int64 `[R]`, `R >= 0`. */
  logitRows: "logit_rows",
  /** Float32 `[1, R, V]`. */
  logits: "logits",
  /**
   * What is mostly read of logits, float32 `[1, R, 2 + K]`: the argmax, the log of the sum of exponentials, the `K`
   * largest logits.
   */
  reductions: "reductions",
  /** Ids of the `K` largest logits, int64 `[1, R, K]`. */
  topIds: "top_ids",
  /**
   * Keys in the cache, float32 `[S, kvHeads, headSize]`, or `[S - T, …]` where the graph appends those of the pass. For
   * fused attention the whole buffer `[1, kvHeads, capacity, headSize]`.
   */
  key: (layer: number) => `key.${layer}`,
  value: (layer: number) => `value.${layer}`,
  /** For fused attention: the same buffer, with the rows of the pass in it. */
  presentKey: (layer: number) => `present_key.${layer}`,
  presentValue: (layer: number) => `present_value.${layer}`,
  /** Keys of the pass, float32 `[1, T, kvHeads · headSize]`. */
  newKey: (layer: number) => `new_key.${layer}`,
  newValue: (layer: number) => `new_value.${layer}`,
  /** Float32 `[1, T, D]`. */
  hidden: (site: HiddenSite) => `hidden.${site}`,
  /** Whether a layer runs, bool scalar. */
  run: (layer: number) => `run.${layer}`,
} as const;
