/** Keeps the rows of all layers' keys and values; the pool says which of them are in use. */
export interface RowStore {
  /** Rows that fit the buffers. */
  readonly capacity: number;
  /** Bytes of all buffers. */
  readonly bytes: number;
  /**
   * Share of rows in use below which the pool fills holes before a pass: 1 where moving a row is cheaper than looking
   * at a dead one.
   */
  readonly leastAlive: number;
  /** Makes room for `rows` rows; what is there stays. */
  grow(rows: number): void;
  /** Copies the row in slot `from` to slot `to`. */
  move(from: number, to: number): void;
  /** Frees memory of the device; nothing may be asked of it afterwards. */
  release(): void;
}
