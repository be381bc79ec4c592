import type { ChatMessage } from "@foretoken/core";

/** A question whose answer a program can check. */
export interface QualityTask {
  /** Its own among all tasks of a run. */
  readonly id: string;
  /** What it belongs to: figures are given by group. */
  readonly group: string;
  /** The conversation up to the question; what stands before shows how to answer. */
  readonly messages: readonly ChatMessage[];
  /** How right an answer is, from 0 to 1. */
  score(answer: string): number;
}
