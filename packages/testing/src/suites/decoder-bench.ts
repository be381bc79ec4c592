import {
  type Decoder,
  type GenerateOptions,
  type Generation,
  type GuaranteeLevel,
  generate,
  plain,
  type SamplingOptions,
  type TokenId,
} from "@foretoken/core";
import { expect } from "vitest";
import { type ScriptedModel, type ScriptedModelOptions, scriptedModel } from "../scripted/scripted-model.ts";

/** Options of `testDecoder`. */
export interface DecoderTestOptions {
  /** What every scripted model of the suite gets besides its script: layers, width, a `probe`, abilities. */
  readonly model?: Omit<Partial<ScriptedModelOptions>, "law" | "next" | "logits">;
  /** What the decoder is compared with; default plain decoding. */
  readonly reference?: (model: ScriptedModel) => Decoder;
  /** How close to the reference it must be; default what its guarantee says. `altered` compares nothing. */
  readonly level?: GuaranteeLevel;
  /** Draws of the law checks; default 20,000, 0 leaves them out. */
  readonly draws?: number;
  readonly skip?: Readonly<Record<string, string>>;
}

/** The script of a model, with sizes of its own where they matter. */
export type SuiteScript = Pick<
  ScriptedModelOptions,
  "law" | "next" | "logits" | "vocabularySize" | "contextLength" | "poolRows" | "tokenizer" | "record"
>;

/** A decoder under test beside its reference: makes models and runs both. */
export class DecoderBench {
  readonly level: GuaranteeLevel;
  readonly draws: number;
  readonly #make: (model: ScriptedModel) => Decoder;
  readonly #options: DecoderTestOptions;

  constructor(make: (model: ScriptedModel) => Decoder, options: DecoderTestOptions) {
    this.#make = make;
    this.#options = options;
    this.draws = options.draws ?? 20_000;
    this.level = options.level ?? this.decoder(this.model({ next: () => 0 })).guarantee().level;
  }

  model(script: SuiteScript): ScriptedModel {
    return scriptedModel({ ...this.#options.model, ...script });
  }

  decoder(model: ScriptedModel): Decoder {
    return this.#make(model);
  }

  reference(model: ScriptedModel): Decoder {
    return this.#options.reference?.(model) ?? plain();
  }

  /** One answer by a decoder that is used once, on a model that is used once. */
  async once(script: SuiteScript, options: GenerateOptions): Promise<Generation> {
    const model = this.model(script);
    return generate(model, { ...options, decoder: this.decoder(model) });
  }

  /** The same by the reference. */
  async expected(script: SuiteScript, options: GenerateOptions): Promise<Generation> {
    const model = this.model(script);
    return generate(model, { ...options, decoder: this.reference(model) });
  }

  /** Fails unless decoder and reference give the same tokens, text and finish reason; returns the answer. */
  async expectEqual(script: SuiteScript, options: GenerateOptions): Promise<Generation> {
    const [given, expected] = [await this.once(script, options), await this.expected(script, options)];
    expect(outcome(given), `against ${expected.report.decoder} with ${describeOptions(options)}`).toEqual(
      outcome(expected),
    );
    return given;
  }

  /** Whether tokens must equal the reference's under these sampling options. */
  comparesTokens({ temperature = 0 }: SamplingOptions): boolean {
    return this.level === "identical" || (this.level === "distribution" && temperature === 0);
  }
}

/** What two answers must have in common. */
export function outcome({ tokens, text, finish }: Generation) {
  return { tokens, text, finish };
}

function describeOptions({
  prompt,
  decoder: _,
  signal: __,
  events: ___,
  session: ____,
  ...rest
}: GenerateOptions): string {
  return JSON.stringify({ prompt, ...rest, processors: rest.processors?.map(({ name }) => name) });
}

/** Prompts of several lengths, some with repetitions, over `vocabularySize` tokens. */
export function prompts(vocabularySize: number): readonly (readonly TokenId[])[] {
  const wrap = (tokens: readonly TokenId[]) => tokens.map((token) => token % vocabularySize);
  return [[1], [0, 1, 2, 3], [2, 0, 1, 2, 0, 1, 2, 0], [3, 1, 4, 1, 5, 0, 2, 3, 5, 3, 1, 4]].map(wrap);
}
