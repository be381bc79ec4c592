import { DecodingError, type Model, type TokenId } from "@foretoken/core";
import { GivenPart } from "@foretoken/drafting";
import type { RuntimeModel } from "@foretoken/runtime";
import { chimeraExtensions } from "./chimera-graph.ts";
import { type ChimeraHead, loadChimera } from "./chimera-head.ts";

/** Chimera's network on its target. */
export interface Network {
  readonly model: Model;
  /** `K`: how deep it drafts. */
  readonly steps: number;
  /** Tokens of its logits, `[V']`. */
  readonly vocabulary: Int32Array;
  /** Tokens of the target, `V`. */
  readonly vocabularySize: number;
  /** A token's input embedding `[D]`. */
  embeddingOf(token: TokenId): Float32Array;
}

/** What it takes of a target beyond the contract. */
type HeadLoader = Pick<RuntimeModel, "loadHead">;

/** Loads a network once, and once onto each target. */
export class Networks {
  readonly #name: string;
  readonly #given: GivenPart<ChimeraHead>;
  readonly #ready = new WeakMap<Model, Network>();

  /** @param name - Name of the part that uses it, for messages. */
  constructor(head: ChimeraHead | URL | string, name: string) {
    this.#name = name;
    this.#given = new GivenPart(head, loadChimera, name);
  }

  /** See `ChimeraShape.accuracy`. @throws `UNSUPPORTED` before `prepare` */
  get accuracy(): readonly (readonly number[])[] {
    return this.#given.part.manifest.shape.accuracy;
  }

  /** As `DraftSource.unsupported`. */
  unsupported(target: Model): readonly string[] {
    if (typeof (target as Partial<HeadLoader>).loadHead === "function")
      return this.#given.unsupported(target);
    return [
      `${this.#name} cannot draft for ${target.id}: only models that @foretoken/runtime loads take heads.`,
    ];
  }

  /** As `DraftSource.prepare`. */
  async prepare(target: Model, signal?: AbortSignal): Promise<void> {
    if (this.#ready.has(target)) return;
    const head = await this.#given.prepare(target);
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
    throw new DecodingError("UNSUPPORTED", {
      message: `${this.#name} was started on ${target.id} before its network was loaded there.`,
      fix: "Await the decoder's prepare(model) first, as generate() does.",
    });
  }
}
