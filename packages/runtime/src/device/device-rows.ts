import type { InferenceSession, Tensor } from "onnxruntime-web";
import { PORTS } from "../graph/ports.ts";
import { ROW_PORTS } from "../graph/row-graphs.ts";
import type { RowStore } from "../pool/row-store.ts";

/** Rows by which the buffers grow at least. */
const CAPACITY_STEP = 256;

/** What cache buffers are made of. */
export interface DeviceRowsParts {
  /** `L` */
  readonly layers: number;
  /** Bytes of one row of one layer's keys. */
  readonly rowBytes: number;
  /** Makes buffers; `old` are left as they are. */
  arrange(order: BigInt64Array, old: DeviceBuffers | undefined): Promise<DeviceBuffers>;
}

/** Keys and values on the device, `[1, kvHeads, capacity, headSize]` each, by {@link PORTS}. */
export type DeviceBuffers = Readonly<Record<string, Tensor>>;

/**
 * Keys and values that lie in buffers of the device. What the pool asks for is done before the next pass, in one go:
 * buffers are made anew with their rows in a new order, so old and new ones exist together for that moment.
 */
export class DeviceRows implements RowStore {
  /** Looking at a dead row is cheap on a device; making the buffers anew is not. */
  readonly leastAlive = 0.75;
  readonly #parts: DeviceRowsParts;
  #buffers: DeviceBuffers | undefined;
  /** Rows of `#buffers`. */
  #held = 0;
  #capacity = CAPACITY_STEP;
  /** Moves to be done: where each row that has another place comes from. */
  readonly #origins = new Map<number, number>();

  constructor(parts: DeviceRowsParts) {
    this.#parts = parts;
  }

  get layers(): number {
    return this.#parts.layers;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get bytes(): number {
    return 2 * this.#parts.layers * this.#held * this.#parts.rowBytes;
  }

  grow(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.ceil(Math.max(rows, 1.25 * this.#capacity) / CAPACITY_STEP) * CAPACITY_STEP;
  }

  move(from: number, to: number): void {
    this.#origins.set(to, this.#origins.get(from) ?? from);
  }

  /** The buffers as the pool believes them to be. */
  async settled(): Promise<DeviceBuffers> {
    if (this.#buffers && this.#held === this.#capacity && this.#origins.size === 0) return this.#buffers;
    const capacity = this.#capacity;
    const order = BigInt64Array.from({ length: capacity }, (_, row) => {
      const origin = this.#origins.get(row) ?? row;
      return BigInt(origin < this.#held ? origin : 0);
    });
    this.replace(await this.#parts.arrange(order, this.#buffers));
    this.#held = capacity;
    this.#origins.clear();
    return this.#buffers!;
  }

  /** Takes over buffers with the same rows and more, and frees those before. */
  replace(buffers: DeviceBuffers): void {
    if (this.#buffers) disposeBuffers(this.#buffers);
    this.#buffers = buffers;
  }

  /**
   * Copies what a graph made into buffers of the arranging graphs, which stay: those of a graph are memory of its session
   * and must not outlive it.
   */
  async detach(): Promise<void> {
    if (!this.#buffers) return;
    const order = BigInt64Array.from({ length: this.#held }, (_, row) => BigInt(row));
    this.replace(await this.#parts.arrange(order, this.#buffers));
  }

  /** Frees the buffers; what was in them is lost. */
  release(): void {
    if (this.#buffers) disposeBuffers(this.#buffers);
    this.#buffers = undefined;
    this.#held = 0;
  }
}

/** Arranges with sessions of `arrangingGraph`, made when they are first needed. */
export function arrangeWith(
  layers: number,
  newTensor: (order: BigInt64Array) => Tensor,
  sessions: {
    readonly fromZeros: () => Promise<InferenceSession>;
    readonly fromCache: () => Promise<InferenceSession>;
  },
): DeviceRowsParts["arrange"] {
  return async (order, old) => {
    const session = await (old ? sessions.fromCache() : sessions.fromZeros());
    const made = await session.run({ ...old, [ROW_PORTS.order]: newTensor(order) });
    return pastOf(made, layers);
  };
}

/** Names buffers that come out as what goes in next. */
export function pastOf(outputs: InferenceSession.OnnxValueMapType, layers: number): DeviceBuffers {
  return Object.fromEntries(renamed(layers).map(([past, present]) => [past, outputs[present]]));
}

/** Names buffers that go in as what comes out. */
export function presentOf(buffers: DeviceBuffers): Readonly<Record<string, Tensor>> {
  const layers = Object.keys(buffers).length / 2;
  return Object.fromEntries(renamed(layers).map(([past, present]) => [present, buffers[past]]));
}

/** The names under which buffers come out. */
export function presentNames(layers: number): readonly string[] {
  return renamed(layers).map(([, present]) => present);
}

function renamed(layers: number): (readonly [past: string, present: string])[] {
  return Array.from({ length: layers }, (_, layer) => [
    [PORTS.key(layer), PORTS.presentKey(layer)] as const,
    [PORTS.value(layer), PORTS.presentValue(layer)] as const,
  ]).flat();
}

function disposeBuffers(buffers: DeviceBuffers): void {
  for (const tensor of Object.values(buffers)) tensor.dispose();
}
