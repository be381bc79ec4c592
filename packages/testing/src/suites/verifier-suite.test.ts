import {
  type Decision,
  denseLaw,
  drawAndMatch,
  rejection,
  seededRandom,
  type Verifier,
  type VisitedNode,
} from "@foretoken/core";
import { expect, test } from "vitest";
import { expectCheckToFail } from "./check.ts";
import { drawnTree } from "./drafted-trees.ts";
import { testVerifier, verifierChecks } from "./test-verifier.ts";

testVerifier("drawAndMatch", drawAndMatch, { draws: 10_000 });
testVerifier("rejection", rejection);

test("recursive rejection accepts one of k siblings as often as enumeration says", async () => {
  const target = denseLaw(Float64Array.of(0.1, 0.2, 0.05, 0.35, 0.3));
  const draft = denseLaw(Float64Array.of(0.4, 0.3, 0.1, 0.1, 0.1));
  const expected = [0.55, 0.68968, 0.86698, 0.975];
  const draws = 40_000;
  for (const [index, share] of expected.entries()) {
    const make = drawnTree(() => draft, [index + 1], false);
    let accepted = 0;
    for (let seed = 0; seed < draws; seed++) {
      const random = seededRandom(seed);
      const { trials } = make([0], random).nodes[0]!;
      const node: VisitedNode = {
        node: 0,
        position: 1,
        trials,
        random,
        law: async () => target,
        hidden: async () => new Float32Array(),
      };
      if ((await rejection().start().visit(node)).kind === "descend") accepted++;
    }
    expect(Math.abs(accepted / draws - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / draws));
  }
});

/** What can be wrong with recursive rejection, or with a verifier of any kind. */
type VerifierBug =
  | "tries siblings in token order"
  | "tries the most probable sibling first"
  | "keeps the rejected token in the target"
  | "draws from the whole target after a rejection"
  | "forgets that siblings are removed from the draft"
  | "accepts at equality"
  | "uses one random number twice"
  | "keys by node";

const MUTANTS: Readonly<Record<VerifierBug, string>> = {
  "tries siblings in token order": "texts have the exact law everywhere: siblings drawn without replacement",
  "tries the most probable sibling first":
    "texts have the exact law everywhere: siblings drawn without replacement",
  "keeps the rejected token in the target":
    "texts have the exact law everywhere: siblings drawn without replacement",
  "draws from the whole target after a rejection": "texts have the exact law everywhere: a drawn chain",
  "forgets that siblings are removed from the draft":
    "texts have the exact law everywhere: all tokens drawn without replacement",
  "accepts at equality": "no token of probability 0 is emitted, whatever the random numbers",
  "uses one random number twice": "random numbers are keyed by the node's position, and none is used twice",
  "keys by node": "random numbers are keyed by the node's position, and none is used twice",
};

function brokenRejection(bug?: VerifierBug): Verifier {
  const visit = async ({ law, position, node, random, ...visited }: VisitedNode): Promise<Decision> => {
    const original = await law();
    const chance = visited.trials.map(({ token }) => original.probability(token));
    const trials = [...visited.trials];
    if (bug === "tries siblings in token order") trials.sort((a, b) => a.token - b.token);
    if (bug === "tries the most probable sibling first") {
      trials.sort((a, b) => chance[visited.trials.indexOf(b)]! - chance[visited.trials.indexOf(a)]!);
    }
    let target = original;
    for (const [index, trial] of trials.entries()) {
      const { token } = trial;
      const proposal =
        bug === "forgets that siblings are removed from the draft" ? trials[0]!.proposal : trial.proposal;
      const bound =
        (proposal === "point" ? 1 : proposal.probability(token)) *
        random.uniform(
          bug === "keys by node" ? node : position,
          "accept",
          bug === "uses one random number twice" ? 0 : index,
        );
      const wanted = target.probability(token);
      if (bound < wanted || (bug === "accepts at equality" && bound === wanted))
        return { kind: "descend", trial };
      const rest = proposal === "point" ? target.without(token) : target.residual(proposal);
      if (bug !== "keeps the rejected token in the target") target = rest ?? target;
    }
    const last = bug === "draws from the whole target after a rejection" ? original : target;
    return { kind: "emit", token: last.draw(random.uniform(position, "token")) };
  };
  return { name: "broken", guarantee: () => rejection().guarantee(), start: () => ({ visit }) };
}

const DRAWS = 20_000;

test("rejection without a bug passes every check", async () => {
  for (const { run } of verifierChecks(() => brokenRejection(), { draws: 5_000 })) await run();
});

for (const [bug, name] of Object.entries(MUTANTS)) {
  test(`a verifier that ${bug} fails`, async () => {
    const checks = verifierChecks(() => brokenRejection(bug as VerifierBug), { draws: DRAWS });
    await expectCheckToFail(checks, name);
  });
}
