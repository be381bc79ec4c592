import { mulberry32 } from "../mulberry32.ts";

/** Seeded choices, from which tasks are made up. */
export interface Choice {
  /** A whole number, both ends included. */
  whole(low: number, high: number): number;
  /** One of a list that is not empty. */
  one<T>(list: readonly T[]): T;
  /** Different elements of a list, in random order. @param count - At most the length of the list. */
  some<T>(list: readonly T[], count: number): T[];
}

/** The same seed gives the same choices. @param seed - Any whole number; its lower 32 bits count. */
export function seededChoice(seed: number): Choice {
  const uniform = mulberry32(seed);
  const whole = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1));
  return {
    whole,
    one: (list) => list[whole(0, list.length - 1)],
    some: (list, count) => {
      const left = [...list];
      return Array.from({ length: count }, () => left.splice(whole(0, left.length - 1), 1)[0]);
    },
  };
}
