import type { DecoderExecutor } from "./decoder-executor.ts";
import type { Slot, SlotPool } from "./pool/slot-pool.ts";

/** What the self-test found; root-mean-square differences of logits from those of rows run one by one. */
export interface SelfTestVerdict {
  /** Whether rows of a tree see their ancestors only, at their positions. */
  readonly verifiesTrees: boolean;
  /** Of a tree run in one pass. */
  readonly treeError: number;
  /** Of the same tree when every row sees all rows before it. */
  readonly wrongMaskError: number;
  /** Of the same tree when rows are placed by their order in the pass, as by a device that ignores positions. */
  readonly wrongPositionError: number;
  /** Most rows of one pass that come out right; `undefined` when no limit was found. */
  readonly mostRows?: number;
}

/**
 * Rows of a pass that another kernel takes over than that for short ones. ONNX Runtime's fused attention for WebGPU is
 * wrong from 32 rows on where an adapter has subgroups of 4: software.
 */
const LONG_ROWS = 48;
const SHORT_ROWS = 31;

const PREFIX_ROWS = 12;
/** Parents of the tree's nodes; -1 is the end of the prefix. */
const PARENTS = [-1, -1, 0, 0, 2, 1];
const LEAVES = [3, 4, 5];
/**
 * A right device must be this many times closer than one that ignores mask or positions, which would come at 1.
 * Measured: float32 100,000 and more; int8 activations (accuracy level 4) 7 to 14 on SmolLM2-135M.
 */
const MARGIN = 3;

/**
 * Checks a device that may ignore what it is told: some do, without an error. The error of a tree is compared with
 * those of lies, because the rounding of quantised activations and lies overlap, so that no fixed bound would do.
 *
 * Nothing else may use the pool meanwhile; it is left as it was.
 */
export async function selfTest(
  executor: DecoderExecutor,
  pool: SlotPool,
  vocabularySize: number,
): Promise<SelfTestVerdict> {
  const token = (i: number) => (i * 7919 + 13) % vocabularySize;
  const prefix = pool.allocate(PREFIX_ROWS, undefined);
  const prefixRows = [...prefix.keys()];
  await run(executor, {
    text: [],
    slots: prefix,
    parents: prefixRows.map((row) => row - 1),
    positions: prefixRows,
    token,
    leaves: [],
  });
  const depths: number[] = [];
  for (const [node, parent] of PARENTS.entries()) depths[node] = parent < 0 ? 0 : depths[parent] + 1;
  const nodeToken = (node: number) => token(PREFIX_ROWS + node);

  const tree = async (parents: readonly number[], places: readonly number[]) => {
    const slots = pool.allocate(PARENTS.length, undefined);
    const positions = places.map((place) => PREFIX_ROWS + place);
    const logits = await run(executor, {
      text: prefix,
      slots,
      parents,
      positions,
      token: nodeToken,
      leaves: LEAVES,
    });
    for (const slot of [...slots].reverse()) pool.release(slot);
    return logits;
  };
  const alone = [];
  for (const leaf of LEAVES) {
    const path: number[] = [];
    for (let node = leaf; node >= 0; node = PARENTS[node]) path.unshift(node);
    const text = [...prefix];
    for (const node of path) {
      const slots = pool.allocate(1, undefined);
      const positions = [PREFIX_ROWS + depths[node]];
      const one = { text, slots, parents: [-1], positions, token: () => nodeToken(node), leaves: [0] };
      const [logits] = await run(executor, one);
      if (node === leaf) alone.push(logits);
      text.push(...slots);
    }
    for (const slot of text.slice(PREFIX_ROWS).reverse()) pool.release(slot);
  }
  const order = [...PARENTS.keys()];
  const chain = order.map((node) => node - 1);
  const treeError = difference(await tree(PARENTS, depths), alone);
  const wrongMaskError = difference(await tree(chain, depths), alone);
  const wrongPositionError = difference(await tree(PARENTS, order), alone);
  for (const slot of [...prefix].reverse()) pool.release(slot);
  const smallestLie = Math.min(wrongMaskError, wrongPositionError);
  const verifiesTrees = treeError * MARGIN < smallestLie;
  const isLongRight =
    pool.limit < LONG_ROWS || (await longError(executor, pool, token)) * MARGIN < smallestLie;
  return {
    verifiesTrees,
    treeError,
    wrongMaskError,
    wrongPositionError,
    ...(!isLongRight && { mostRows: SHORT_ROWS }),
  };
}

/** How far the last row of a long pass is from the same row when the text before it was run in short ones. */
async function longError(
  executor: DecoderExecutor,
  pool: SlotPool,
  token: (row: number) => number,
): Promise<number> {
  const lastRow = async (rows: number) => {
    const text: Slot[] = [];
    let logits: readonly Float32Array[] = [];
    while (text.length < LONG_ROWS) {
      const first = text.length;
      const slots = pool.allocate(Math.min(rows, LONG_ROWS - first), undefined);
      const order = [...slots.keys()];
      logits = await run(executor, {
        text: [...text],
        slots,
        parents: order.map((row) => row - 1),
        positions: order.map((row) => first + row),
        token: (row) => token(first + row),
        leaves: [slots.length - 1],
      });
      text.push(...slots);
    }
    for (const slot of text.reverse()) pool.release(slot);
    return logits;
  };
  return difference(await lastRow(LONG_ROWS), await lastRow(SHORT_ROWS));
}

interface TestPass {
  readonly text: readonly Slot[];
  readonly slots: readonly Slot[];
  readonly parents: readonly number[];
  readonly positions: readonly number[];
  readonly token: (row: number) => number;
  readonly leaves: readonly number[];
}

async function run(executor: DecoderExecutor, pass: TestPass): Promise<readonly Float32Array[]> {
  const { text, slots, parents, positions, token, leaves } = pass;
  const rows = slots.map((slot, row) => ({
    slot,
    parent: parents[row] < 0 ? undefined : parents[row],
    base: text.length,
    ancestors: [],
  }));
  const result = await executor.run({
    rows: positions.map((position, row) => ({ token: token(row), position })),
    texts: [{ slots: text, rows }],
    slots,
    layers: undefined,
    logitRows: leaves,
    hidden: [],
  });
  const rowsRead: Float32Array[] = [];
  for (const row of result.logits) rowsRead.push(await row.read());
  result.dispose();
  return rowsRead;
}

function difference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let sum = 0;
  let count = 0;
  for (const [row, values] of a.entries()) {
    for (const [i, value] of values.entries()) sum += (value - b[row][i]) ** 2;
    count += values.length;
  }
  return Math.sqrt(sum / count);
}
