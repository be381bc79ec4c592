import { type Growth, ROOT_TIP, SiblingDraws, type Tip } from "@foretoken/drafting";

/** The most a beam may be. */
export interface BeamShape {
  /** `W`: nodes of a level, at least 1. */
  readonly width: number;
  /** `L`: levels, at least 1. */
  readonly depth: number;
}

/** A node of the beam and its time of arrival. */
interface Arrival extends Tip {
  readonly time: number;
}

/** The siblings behind one node, and when the next of them arrives. */
interface Runner {
  readonly siblings: SiblingDraws;
  time: number;
}

/**
 * RSD-S: every level holds the `W` sequences that stochastic beam search keeps, those of one parent in descending order of
 * their perturbed log-probability `G`. One draft pass a level.
 *
 * It is run as a race: `G = -ln t`, with `t` the time at which a sequence arrives. The sequences behind a node arrive at the
 * rate of their draft probability, the first of them together with the node itself, and a level keeps the `W` earliest. So a
 * token is drawn only when its sequence is already kept, and the others cost nothing.
 *
 * ```
 * time          1      1.3    2.2 …
 * behind root   a      b      c        W = 2: level 1 keeps a and b
 * behind a      ax            ay       ax arrives with a, bz with b
 * behind b             bz              level 2 keeps ax and bz
 * ```
 *
 * @see Jeon et al. 2024, RSD-S, https://arxiv.org/abs/2402.14160; Kool et al. 2019, Algorithm 1,
 * https://arxiv.org/abs/1903.06059
 */
export async function growStochasticBeam(growth: Growth, { width, depth }: BeamShape): Promise<void> {
  const { tree, limit } = growth;
  let level: readonly Arrival[] = [{ ...ROOT_TIP, time: 1 }];
  for (let done = 0; done < depth; done++) {
    const room = Math.min(width, limit - tree.size);
    // Nodes stand in order of arrival, so no child of a later one can be among the first `room`.
    const parents = level.slice(0, room);
    const runners = (await SiblingDraws.behind(growth, parents)).map(
      (siblings, index): Runner => ({ siblings, time: parents[index]!.time }),
    );
    const next: Arrival[] = [];
    for (let runner = first(runners); runner !== undefined && next.length < room; runner = first(runners)) {
      const { siblings, time } = runner;
      next.push({ ...siblings.draw(), time });
      runner.time += waitingTime(growth.uniform()) / siblings.mass;
    }
    level = next;
  }
}

/** The runner whose next sibling arrives first, the earlier one in the level among equals. */
function first(runners: readonly Runner[]): Runner | undefined {
  let earliest: Runner | undefined;
  for (const runner of runners) {
    if (runner.siblings.mass > 0 && (earliest === undefined || runner.time < earliest.time))
      earliest = runner;
  }
  return earliest;
}

/** An exponential waiting time at rate 1. */
function waitingTime(uniform: number): number {
  return -Math.log1p(-uniform);
}
