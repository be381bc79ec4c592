// What a judge keeps, and what that costs in quality, over thresholds:
//
//   node scripts/judge-table.mjs --drafter rsd --thresholds 0.5,0.9 [--head folder] [--per-group 20] [--resume folder] [--out file]
//
// Needs `npm run build`. Answers the tasks of `foretoken bench quality` greedily: plain, exact speculation, the judge at each
// threshold, the divergence control, and for each threshold a random judge that keeps the same share of what it is asked about.
// Only counts are reported, so it may run beside other work.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureQuality, qualityTable, qualityTasks, summarizeQuality } from "@foretoken/bench";
import { drawAndMatch, rejection, speculative } from "@foretoken/core";
import { judge, loadJudge } from "@foretoken/judge";
import { promptLookup } from "@foretoken/prompt-lookup";
import { rsd } from "@foretoken/rsd";
import { loadModel } from "@foretoken/runtime";
import { smollm2Draft, smollm2Judge } from "@foretoken/smollm2-heads";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { trainedDraft } from "@foretoken/trained-draft";

const { values } = parseArgs({
  options: {
    drafter: { type: "string", default: "rsd" },
    thresholds: { type: "string" },
    divergence: { type: "string", default: "0.3" },
    head: { type: "string" },
    model: { type: "string", default: "smollm2-135m-instruct" },
    threads: { type: "string" },
    "per-group": { type: "string", default: "20" },
    "task-seed": { type: "string", default: "0" },
    resume: { type: "string" },
    out: { type: "string" },
  },
});

const source = () => trainedDraft({ head: smollm2Draft });
const DRAFTERS = {
  rsd: [() => rsd({ source: source(), width: 2, depth: 3 }), rejection],
  "speculative-sampling": [() => speculativeSampling({ source: source(), length: 3 }), rejection],
  "prompt-lookup": [() => promptLookup(), drawAndMatch],
};
const [makeDrafter, makeRule] = DRAFTERS[values.drafter];

const head = await loadJudge(values.head ?? smollm2Judge);
const thresholds = [...new Set([...numbers(values.thresholds), head.threshold])].sort((a, b) => b - a);
const tasks = qualityTasks({ perGroup: Number(values["per-group"]), seed: Number(values["task-seed"]) });
const model = await loadModel(values.model, {
  device: "cpu",
  threads: values.threads === undefined ? undefined : Number(values.threads),
});
if (values.resume !== undefined) await mkdir(values.resume, { recursive: true });

const exact = { name: "exact", decoder: speculative({ drafters: makeDrafter(), verifier: makeRule() }) };
const trained = await run("trained", [
  exact,
  ...thresholds.map((threshold) => judged(`judge ${threshold}`, { head, threshold })),
  ...numbers(values.divergence).map((threshold) =>
    judged(`divergence ${threshold}`, { control: "divergence", threshold }),
  ),
]);
const random = await run(
  "random",
  thresholds.map((threshold) => {
    const { overrides, asked, scored } = trained.summary.findLast(
      ({ decoder }) => decoder === `judge ${threshold}`,
    ).counts;
    // Of several siblings the best counts: 1 - t^k of k are above t.
    const equal = (1 - overrides / asked) ** (asked / scored);
    return judged(`random for ${threshold}`, { control: "random", threshold: equal });
  }),
);
await model.dispose();

const names = [...trained.decoders, ...random.decoders.slice(1)].map(({ name }) => name);
const measurements = [
  ...trained.measurements,
  ...random.measurements.filter(({ decoder }) => decoder !== "plain"),
];
const summary = summarizeQuality(names, measurements);
console.log(qualityTable(summary.filter(({ group }) => group === "all")));
if (values.out !== undefined) {
  const about = {
    model: model.id,
    dtype: model.dtype,
    drafter: values.drafter,
    thresholds,
    tasks: tasks.length,
  };
  await writeFile(values.out, `${JSON.stringify({ ...about, summary }, null, 2)}\n`);
}

function run(name, decoders) {
  return measureQuality({
    model,
    decoders,
    tasks,
    resume: values.resume && join(values.resume, `${values.drafter}-${name}.json`),
    identity: { model: model.contentHash, dtype: model.dtype, head: head.weight.slice(0, 4) },
    onProgress: ({ done, total }) => done % 50 === 0 && console.error(`${name}: ${done}/${total}`),
  });
}

/** A judge that counts: refusals it was `asked` about, drafts it `scored` there, and its `overrides`; `kept` are all accepted drafts. */
function judged(name, options) {
  let counts = zero();
  const onVerdict = ({ by, judged }) => {
    if (by !== "target") counts.kept++;
    if (by === "judge") counts.overrides++;
    if (judged.length > 0) counts.asked++;
    counts.scored += judged.length;
  };
  return {
    name,
    decoder: speculative({
      drafters: makeDrafter(),
      verifier: judge({ verifier: makeRule(), ...options, onVerdict }),
    }),
    json: { drafter: values.drafter, control: options.control, threshold: options.threshold },
    counts: () => {
      const read = counts;
      counts = zero();
      return read;
    },
  };
}

function zero() {
  return { asked: 0, scored: 0, overrides: 0, kept: 0 };
}

function numbers(list) {
  return list === undefined ? [] : list.split(",").map(Number);
}
