import type { Model, Requirements } from "./model.ts";

/** Something other than decoding that a model can do: scoring, attribution, embeddings. Holds options only. */
export interface Tool<Input = unknown, Output = unknown> {
  readonly name: string;
  requirements(model: Model): Requirements;
  /** Sentences about why it cannot run on `model`; empty when it can. */
  unsupported?(model: Model): readonly string[];
  run(model: Model, input: Input, options?: { readonly signal?: AbortSignal }): Promise<Output>;
}
