import { hasCode } from "@foretoken/core";
import type { LoadedModel, LoadModelOptions } from "../load-model.ts";

/** Loads a model by name or address. */
export type LoadModel = (source: string | Blob, options: LoadModelOptions) => Promise<LoadedModel>;

/** The models that parts name, such as drafts: loaded when the first answer needs them, and once. */
export class DraftModels {
  readonly #load: (name: string, signal: AbortSignal | undefined) => Promise<LoadedModel>;
  readonly #loading = new Map<string, Promise<LoadedModel>>();

  /** @param load - Loads one; addresses in `name` are the page's. */
  constructor(load: (name: string, signal: AbortSignal | undefined) => Promise<LoadedModel>) {
    this.#load = load;
  }

  /** The resource that parts look for. @throws As `loadModel`; what failed is tried again by the next call. */
  readonly loadModel = async (
    name: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<LoadedModel> => {
    const found = this.#loading.get(name);
    if (found === undefined) {
      const loading = this.#load(name, signal);
      this.#loading.set(name, loading);
      loading.catch(() => this.#loading.delete(name));
      return loading;
    }
    try {
      return await found;
    } catch (error) {
      // Another answer began to load it and was aborted; this one was not.
      if (hasCode(error, "ABORTED") && !signal?.aborted) return this.loadModel(name, { signal });
      throw error;
    }
  };

  async dispose(): Promise<void> {
    const loads = await Promise.allSettled(this.#loading.values());
    this.#loading.clear();
    await Promise.all(loads.map((load) => (load.status === "fulfilled" ? load.value.dispose() : undefined)));
  }
}
