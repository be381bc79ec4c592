import { EventEmitter } from "eventemitter3";
import type { FinishReason, SourceCount, StepTimes } from "./decoder.ts";
import type { TokenId } from "./tokens.ts";

/** A node of a verified tree as plain data. */
export interface TreeNodeData {
  readonly token: TokenId;
  /** Index of the parent, -1 for the root. */
  readonly parent: number;
  readonly sources: readonly string[];
}

/** What every event says. */
export interface DecodeEvent {
  /** Which text: `"main"`, or the name a decoder gave a branch. */
  readonly branch: string;
}

/** The prompt is known. */
export interface StartEvent extends DecodeEvent {
  readonly promptTokens: number;
  /** Of those, already in the cache. */
  readonly cachedTokens: number;
}

/** A prompt chunk was run. */
export interface PrefillEvent extends DecodeEvent {
  /** Prompt tokens in the cache. */
  readonly loaded: number;
  readonly total: number;
}

/** A target pass, and the tokens it made final: none where a decoder dropped all it computed. */
export interface StepEvent extends DecodeEvent {
  readonly tokens: readonly TokenId[];
  /** Index in the text of the first of `tokens`. */
  readonly position: number;
  readonly drafted: number;
  readonly accepted: number;
  readonly rows: number;
  readonly bySource: Readonly<Record<string, SourceCount>>;
  readonly times: StepTimes;
  /** The verified tree, node 0 the root. */
  readonly tree: readonly TreeNodeData[];
  /** Accepted nodes, in order. */
  readonly path: readonly number[];
}

/** The answer ended. */
export interface FinishEvent extends DecodeEvent {
  readonly finish: FinishReason;
  readonly tokens: number;
}

/** Events of a generation, by name. */
export interface DecodeEvents {
  start: (event: StartEvent) => void;
  prefill: (event: PrefillEvent) => void;
  step: (event: StepEvent) => void;
  finish: (event: FinishEvent) => void;
}

/** Emits {@link DecodeEvents}; pass one to `generate()` or `stream()`. */
export class DecodeEmitter extends EventEmitter<DecodeEvents> {}
