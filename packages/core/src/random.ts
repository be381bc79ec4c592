/** What a uniform number is for; every purpose has its own sequence. */
export type Purpose = "token" | "accept" | "draft" | "trial";

/**
 * Uniform numbers by key instead of by order, so that work thrown away never shifts later draws.
 */
export interface Random {
  /**
   * A number in [0, 1) with 53 random bits, the same for the same key.
   *
   * @param position - Index in the text of the token being decided.
   * @param purpose - What it is for.
   * @param index - Which one, where a position needs several of one purpose; default 0.
   */
  uniform(position: number, purpose: Purpose, index?: number): number;
  /** An independent source for one of several trials that start at `position`. */
  fork(position: number, trial: number): Random;
}
