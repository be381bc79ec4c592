import { DecodingError, type LayerSet, type TokenId } from "@foretoken/core";
import { type ContextNode, mix } from "./context-node.ts";

/** What a row sees besides tokens. */
export interface ScriptedRow {
  /** Embeddings of the probe rows it sees, its own last; empty for every real row. */
  readonly embeddings: readonly Float32Array[];
  /** The row's integers for graph extensions. */
  readonly integers: Readonly<Record<string, number>>;
  /** The row's vectors for graph extensions. */
  readonly vectors: Readonly<Record<string, Float32Array>>;
  /** The layers that ran for it. */
  readonly layers: LayerSet;
}

/** The behaviour of a scripted model, written down in one of three ways. `tokens` is what a row sees, its own token last. */
export interface Script {
  /** Probabilities of the next token `[V]`; 0 becomes a logit of `-Infinity`. They need not add up to 1. */
  readonly law?: (tokens: readonly TokenId[]) => ArrayLike<number>;
  /** The next token, which gets nearly all of the mass. */
  readonly next?: (tokens: readonly TokenId[]) => TokenId;
  /** Raw logits of the next token `[V]`. */
  readonly logits?: (tokens: readonly TokenId[]) => ArrayLike<number>;
  /**
   * Logits `[V]` of a probe row. Default: the perfect guess, which is the law behind the text and the most probable token
   * for each probe.
   */
  readonly probe?: (tokens: readonly TokenId[], row: ScriptedRow) => ArrayLike<number>;
  /**
   * How far skipped layers move logits: uniform noise of this size that depends on everything the row sees and on what was
   * skipped for it. Default 1.
   */
  readonly layerNoise?: number;
}

/** The logit of the token that {@link Script.next} names; all others have 0. */
const CERTAIN = 12;

/** Turns a script into the logits of rows. */
export class ScriptReader {
  readonly #script: Script;
  readonly #vocabularySize: number;
  readonly #layers: number;

  constructor(script: Script, vocabularySize: number, layers: number) {
    const given = [script.law, script.next, script.logits].filter((way) => way !== undefined);
    if (given.length !== 1) {
      throw new DecodingError("INVALID_OPTION", {
        message: `A scripted model needs exactly one of law, next and logits, got ${given.length}.`,
        fix: "Write its behaviour down once, for example { law: () => [0.5, 0.5] }.",
      });
    }
    this.#script = script;
    this.#vocabularySize = vocabularySize;
    this.#layers = layers;
  }

  /** Logits `[V]` of a text, as a row that sees nothing else has them. */
  ofText(tokens: readonly TokenId[]): Float32Array {
    const { law, next, logits } = this.#script;
    const values = new Float32Array(this.#vocabularySize);
    if (logits !== undefined) values.set(this.#checked(logits(tokens), "logits"));
    if (law !== undefined) values.set(Array.from(this.#checked(law(tokens), "law"), Math.log));
    if (next !== undefined) values[next(tokens)] = CERTAIN;
    return values;
  }

  /** Logits `[V]` of a row: NaN for a real row that sees a probe. */
  ofRow(node: ContextNode): Float32Array {
    const tokens = node.tokens();
    if (node.seesProbe && node.content.embedding === undefined) {
      return new Float32Array(this.#vocabularySize).fill(Number.NaN);
    }
    const values = node.seesProbe ? this.#ofProbe(node, tokens) : this.ofText(tokens);
    if (node.skipHash !== 0) this.#disturb(values, node.skipHash);
    return values;
  }

  #ofProbe(node: ContextNode, tokens: TokenId[]): Float32Array {
    const embeddings = node.embeddings();
    const layers = Array.from(
      { length: this.#layers },
      (_, layer) => (node.content.layers >> layer) % 2 === 1,
    );
    if (this.#script.probe !== undefined) {
      const { integers = {}, vectors = {} } = node.content;
      const row = { embeddings, integers, vectors, layers };
      return Float32Array.from(this.#checked(this.#script.probe(tokens, row), "probe"));
    }
    for (let guess = 0; guess < embeddings.length; guess++) tokens.push(largest(this.ofText(tokens)));
    return this.ofText(tokens);
  }

  #disturb(values: Float32Array, seed: number): void {
    const size = this.#script.layerNoise ?? 1;
    for (let token = 0; token < values.length; token++) {
      values[token]! += (mix(seed, token) / 2 ** 32 - 0.5) * 2 * size;
    }
  }

  #checked(values: ArrayLike<number>, name: string): ArrayLike<number> {
    if (values.length !== this.#vocabularySize) {
      throw new DecodingError("SHAPE_MISMATCH", {
        message: `The script's ${name} gave ${values.length} values for a vocabulary of ${this.#vocabularySize}.`,
        fix: "Return one value for each token, or set vocabularySize.",
      });
    }
    return values;
  }
}

/** Index of the largest value, the lowest among equals. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}
