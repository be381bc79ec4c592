import type { Score } from "./score.ts";

/** Far behind the indices that an inner rule uses for one position. */
const FIRST_INDEX = 1 << 16;

/** The judge that knows nothing: a uniform number, so that it keeps a share of `1 − δ` of what it is asked about. */
export const randomScore: Score = ({ random, position, trials }, trial) =>
  random.uniform(position, "accept", FIRST_INDEX + trials.indexOf(trial));
