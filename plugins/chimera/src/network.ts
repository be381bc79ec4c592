import { DecodingError, type Model, type TokenId } from "@foretoken/core";
import { partMisfit } from "@foretoken/drafting";
import type { RuntimeModel } from "@foretoken/runtime";
import { chimeraExtensions } from "./chimera-graph.ts";
import { type ChimeraHead, loadChimera } from "./chimera-head.ts";
import { isHead, NAME } from "./options.ts";

/** Chimera's network on its target. */
export interface Network {
  readonly model: Model;
  /** `K`: how deep it drafts. */
  readonly steps: number;
  /** Tokens of its logits, `[V']`. */
  readonly vocabulary: Int32Array;
  /** Tokens of the target, `V`. */
  readonly vocabularySize: number;
  embeddingOf(token: TokenId): Float32Array;
}

/** What it takes of a target beyond the contract. */
type HeadLoader = Pick<RuntimeModel, "loadHead">;

/** Loads a network once, and once onto each target. */
export class Networks {
  readonly #given: ChimeraHead | URL | string;
  #head: ChimeraHead | undefined;
  readonly #ready = new WeakMap<Model, Network>();

  constructor(head: ChimeraHead | URL | string) {
    this.#given = head;
    this.#head = isHead(head) ? head : undefined;
  }

  /** How good its guesses are, once it was loaded: `[K][ranks]`, see {@link ChimeraShape.accuracy}. */
  get accuracy(): readonly (readonly number[])[] | undefined {
    return this.#head?.manifest.shape.accuracy;
  }

  /** As `DraftSource.unsupported`. */
  unsupported(target: Model): readonly string[] {
    if (typeof (target as Partial<HeadLoader>).loadHead !== "function") {
      return [`${NAME} cannot draft for ${target.id}: only models that @foretoken/runtime loads take heads.`];
    }
    const misfit = this.#head && partMisfit(this.#head.manifest, target);
    return misfit === undefined ? [] : [misfit];
  }

  /** As `DraftSource.prepare`. */
  async prepare(target: Model, signal?: AbortSignal): Promise<void> {
    if (this.#ready.has(target)) return;
    this.#head ??= await loadChimera(this.#given as URL | string);
    const head = this.#head;
    const [reason] = this.unsupported(target);
    if (reason !== undefined) throw unsupported(reason);
    const model = await (target as Model & HeadLoader).loadHead(head);
    await model.prepare({ hidden: ["final"], tree: true, extensions: chimeraExtensions(head) }, { signal });
    this.#ready.set(target, {
      model,
      steps: head.manifest.shape.steps,
      vocabulary: head.vocabulary,
      vocabularySize: target.vocabularySize,
      embeddingOf: (token) => model.embeddingOf(token),
    });
  }

  /** The network of a prepared target. @throws `UNSUPPORTED` */
  on(target: Model): Network {
    const network = this.#ready.get(target);
    if (network !== undefined) return network;
    throw unsupported(`${NAME} was started before its network was loaded.`);
  }
}

function unsupported(message: string): DecodingError {
  return new DecodingError("UNSUPPORTED", {
    message,
    fix: "Use a network that was trained on the target's weights, and await the decoder's prepare(model) first, as generate() does.",
  });
}
