import {
  type DraftContext,
  type DraftSource,
  type DraftState,
  type DraftWarp,
  type LayerSet,
  type Model,
  type ProposeContext,
  parseOptions,
  type Session,
  type TokenLaw,
  type TokenTree,
} from "@foretoken/core";
import { DraftRows } from "@foretoken/drafting";
import { knownLayers } from "./known-layers.ts";
import { type LayerSkipOptions, optionsSchema } from "./options.ts";

const NAME = "layer-skip";

/**
 * The target itself as its own draft, with some of its layers left out. No second model and no second cache: the draft
 * sees what the target computed for the text, with all layers.
 *
 * @throws `INVALID_OPTION`
 * @see Zhang et al. 2024, "Draft & Verify", https://arxiv.org/abs/2309.08168
 */
export function layerSkip(options: LayerSkipOptions = {}): DraftSource {
  const { layers } = parseOptions(NAME, optionsSchema, options);
  const layersFor = (target: Model) => layers ?? knownLayers(target);
  return {
    name: NAME,
    // The head is a fifth of the weights of a small model, and no layer takes it away.
    passCost: (target) => 0.2 + (0.8 * (layersFor(target)?.length ?? target.layers)) / target.layers,
    requirements: () => ({ gates: true }),
    unsupported: (target) => misfits(target, layersFor(target)),
    start: ({ session, model }: DraftContext) =>
      new LayerSkip(session, layerSet(model, layersFor(model) ?? []), new Set(model.tokenizer?.endTokens)),
  };
}

function misfits(target: Model, layers: readonly number[] | undefined): readonly string[] {
  if (layers === undefined) {
    return [
      `${NAME} knows no layers that draft well for ${target.id}: name those that run, { layers: [0, 1, …] }.`,
    ];
  }
  const unknown = layers.find((layer) => layer >= target.layers);
  return unknown === undefined
    ? []
    : [
        `${NAME} was told to run layer ${unknown}, but ${target.id} has the layers 0 to ${target.layers - 1}.`,
      ];
}

function layerSet(target: Model, layers: readonly number[]): LayerSet {
  return Array.from({ length: target.layers }, (_, layer) => layers.includes(layer));
}

/**
 * Each round runs on a branch of its own, which is never adopted: rows without some layers must not become text. The
 * next branch starts from the target's own rows.
 */
class LayerSkip implements DraftState {
  readonly #target: Session;
  readonly #layers: LayerSet;
  readonly #endTokens: ReadonlySet<number>;
  #branch: Session | undefined;
  #rows: DraftRows | undefined;

  constructor(target: Session, layers: LayerSet, endTokens: ReadonlySet<number>) {
    this.#target = target;
    this.#layers = layers;
    this.#endTokens = endTokens;
  }

  begin(tree: TokenTree, context: ProposeContext, warp?: DraftWarp): void {
    this.dispose();
    this.#branch = this.#target.branch();
    this.#rows = new DraftRows({
      session: this.#branch,
      missing: [],
      layers: this.#layers,
      endTokens: this.#endTokens,
      tree,
      context,
      warp,
    });
  }

  async expand(nodes: readonly number[]): Promise<readonly (TokenLaw | undefined)[]> {
    return this.#rows!.expand(nodes);
  }

  /** The target ran the accepted rows itself. */
  observe(): void {
    this.dispose();
  }

  fork(session: Session): DraftState {
    return new LayerSkip(session, this.#layers, this.#endTokens);
  }

  truncate(): void {
    this.dispose();
  }

  /** Frees the branch of the last round; a later round begins another. */
  dispose(): void {
    this.#branch?.dispose();
    this.#branch = undefined;
  }
}
