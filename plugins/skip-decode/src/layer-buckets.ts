import type { LayerSet, Model } from "@foretoken/core";
import type { ReadOptions } from "./options.ts";

/** Share of the layers that always run at the bottom: without the first few of them, an untrained model writes nonsense. */
const WARM_UP_SHARE = 0.13;

/** How many layers run at which generated position, for one number of layers; a step function of few steps. */
export class LayerBuckets {
  /** Layers of the model, `L`. */
  readonly layers: number;
  /** `Emax` and `Emin`. */
  readonly most: number;
  readonly fewest: number;
  /** `w` */
  readonly warmup: number;
  /** Generated positions over which layers are left out, `T`. */
  readonly length: number;
  readonly buckets: number;

  constructor(options: ReadOptions, layers: number) {
    this.layers = layers;
    this.most = options.maxLayers ?? layers;
    this.fewest = options.minLayers ?? Math.round((2 * layers) / options.factor - this.most);
    this.warmup = options.warmupLayers ?? Math.max(1, Math.round(WARM_UP_SHARE * layers));
    this.length = options.length;
    this.buckets = options.buckets;
  }

  /** Why a model of `L` layers cannot run so, as sentences. */
  misfits(name: string, { id }: Model): readonly string[] {
    const { most, fewest, warmup, layers } = this;
    if (most > layers) return [`${name} was told to run ${most} layers, but ${id} has ${layers}.`];
    if (fewest > most) {
      return [
        `${name} was told to run at least ${fewest} layers and at most ${most}: a schedule only falls.`,
      ];
    }
    if (fewest === layers || fewest > warmup) return [];
    return [
      `${name} would run ${fewest} of the ${layers} layers of ${id}, but the ${warmup} at the bottom and one at the top always run: ` +
        "lower factor or warmupLayers.",
    ];
  }

  /** Layers run in a bucket, halves rounded up: `E`, constant on each bucket. */
  kept(bucket: number): number {
    if (this.buckets === 1) return this.fewest;
    const fallen = ((this.most - this.fewest) * bucket) / (this.buckets - 1);
    return Math.floor(this.most - fallen + 0.5);
  }

  /** The first generated position of a bucket, from 0. */
  start(bucket: number): number {
    return Math.ceil((bucket * this.length) / this.buckets);
  }

  /** The layers that run where `kept` of them do: the first `w`, and the last ones. `undefined` when that is all. */
  set(kept: number): LayerSet | undefined {
    if (kept === this.layers) return undefined;
    return Array.from(
      { length: this.layers },
      (_, layer) => layer < this.warmup || layer >= this.layers - (kept - this.warmup),
    );
  }
}
