import { partSchema, type TrainedPart } from "@foretoken/drafting";
import { z } from "zod";
import type { TransferShape } from "./transfer-maps.ts";

/** Reads the options of hidden transfer. */
export const optionsSchema = z.strictObject({
  head: partSchema<TrainedPart<TransferShape>>(),
  rows: z
    .literal("auto")
    .or(z.int().min(1).max(48))
    .default("auto")
    .describe(
      "Rows a pass may add for nodes and the pseudo rows under them; auto goes by the model's cost curve",
    ),
  foreignProbes: z
    .int()
    .min(0)
    .max(8)
    .default(1)
    .describe("Pseudo rows under a node that another drafter proposed"),
  source: z
    .enum(["node", "previous"])
    .default("node")
    .describe("Whose state a map moves: the real row's, or that of the pseudo row before"),
});

/** Options of {@link hiddenTransfer}. */
export interface HiddenTransferOptions {
  /**
   * Maps trained on the target's own weights: loaded with {@link loadTransferMaps}, or the folder that holds their `manifest.json`, as an
   * address or, in Node, a path.
   */
  readonly head: TrainedPart<TransferShape> | URL | string;
  /**
   * Rows a pass may add to the root and the root's own pseudo rows, 1 to 48: nodes, and the pseudo rows under them. `"auto"`, the default,
   * takes what gives most tokens for the time of a pass, by the model's cost curve.
   */
  readonly rows?: number | "auto";
  /** Pseudo rows under a node that another drafter proposed, 0 to 8, cut to the steps there are. Default 1. */
  readonly foreignProbes?: number;
  /**
   * Whose state each map moves: that of the real row that the pseudo rows hang under, the default, or that of the pseudo row before. Maps
   * serve the reading that they were trained for.
   */
  readonly source?: "node" | "previous";
}
