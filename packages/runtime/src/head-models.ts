import { type DraftHead, headWeights } from "./weights/head-weights.ts";
import type { ModelWeights } from "./weights/model-weights.ts";

/** What is held of a loaded head. */
interface Loaded {
  dispose(): Promise<void>;
}

/** The draft heads loaded on one target: each once, all of them disposed with it. */
export class HeadModels<Head extends Loaded> {
  readonly #target: ModelWeights;
  readonly #load: (weights: ModelWeights, id: string) => Promise<Head>;
  readonly #loading = new Map<string, Promise<Head>>();

  /** @param load - Loads weights as a model beside the target. */
  constructor(target: ModelWeights, load: (weights: ModelWeights, id: string) => Promise<Head>) {
    this.#target = target;
    this.#load = load;
  }

  /** The model of a head; after a failure the next call tries again. @throws as {@link headWeights} and loading do */
  get(head: DraftHead): Promise<Head> {
    const found = this.#loading.get(head.contentHash);
    if (found) return found;
    const loading = this.#open(head);
    this.#loading.set(head.contentHash, loading);
    loading.catch(() => this.#loading.delete(head.contentHash));
    return loading;
  }

  async #open(head: DraftHead): Promise<Head> {
    return this.#load(headWeights(this.#target, head), head.id);
  }

  async dispose(): Promise<void> {
    const heads = await Promise.allSettled(this.#loading.values());
    for (const head of heads) if (head.status === "fulfilled") await head.value.dispose();
  }
}
