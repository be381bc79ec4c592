import type { JudgeHead } from "../judge-head.ts";

/** A judge for scripted models: `weight` reads their states, whose first value is the row's own token. */
export function scriptedJudge(weight: readonly number[], bias = 0, width = 8): JudgeHead {
  return {
    format: "foretoken-head",
    version: 1,
    kind: "judge",
    name: "scripted-judge",
    base: { file: "a script", sha256: "scripted".padEnd(64, "0") },
    dtypes: ["fp32"],
    threshold: 0.5,
    weight: Array.from({ length: width }, (_, index) => weight[index] ?? 0),
    bias,
  };
}
