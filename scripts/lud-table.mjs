// What LUD keeps unverified, how much of it the target would have said, and what that costs in quality, over thresholds:
//
//   node scripts/lud-table.mjs [--thresholds 0.5,0.7,0.8,0.9,0.95,0.99] [--head folder] [--per-group 20] [--resume folder] [--out file]
//
// Needs `npm run build`. Answers the tasks of `foretoken bench quality` greedily: plain, lud at each threshold, and lud with `verify` at the
// lowest. `agreed` of `kept` guesses are what the target says there, behind the guesses kept before; `of N` counts passes that made N
// tokens. Only counts are reported, so it may run beside other work.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureQuality, qualityTable, qualityTasks } from "@foretoken/bench";
import { loadLexicalUnits, lud } from "@foretoken/lud";
import { loadModel } from "@foretoken/runtime";
import { smollm2Lud } from "@foretoken/smollm2-heads";

const { values } = parseArgs({
  options: {
    thresholds: { type: "string", default: "0.5,0.7,0.8,0.9,0.95,0.99" },
    head: { type: "string" },
    model: { type: "string", default: "smollm2-135m-instruct" },
    dtype: { type: "string" },
    threads: { type: "string" },
    groups: { type: "string" },
    "per-group": { type: "string", default: "20" },
    "task-seed": { type: "string", default: "0" },
    "max-tokens": { type: "string", default: "64" },
    resume: { type: "string" },
    out: { type: "string" },
  },
});

const head = await loadLexicalUnits(values.head ?? smollm2Lud);
const { lookAhead, threshold: own } = head.manifest.shape;
const thresholds = [...new Set([...values.thresholds.split(",").map(Number), own])].sort((a, b) => a - b);
const tasks = qualityTasks({
  groups: values.groups?.split(","),
  perGroup: Number(values["per-group"]),
  seed: Number(values["task-seed"]),
});
const model = await loadModel(values.model, {
  device: "cpu",
  dtype: values.dtype,
  threads: values.threads === undefined ? undefined : Number(values.threads),
});
if (values.resume !== undefined) await mkdir(values.resume, { recursive: true });

const { summary, measurements } = await measureQuality({
  model,
  decoders: [...thresholds.map((threshold) => counted(threshold)), verified(thresholds[0])],
  tasks,
  maxTokens: Number(values["max-tokens"]),
  resume: values.resume && join(values.resume, "lud.json"),
  identity: { model: model.contentHash, dtype: model.dtype, head: head.contentHash },
  onProgress: ({ done, total }) => done % 50 === 0 && console.error(`${done}/${total}`),
});
const about = { model: model.id, dtype: model.dtype, head: head.id, lookAhead, tasks: tasks.length };
await model.dispose();

console.log(qualityTable(summary.filter(({ group }) => group === "all" || summary.length === 1)));
const lengths = thresholds.map((threshold) => lengthsAt(threshold));
console.table(lengths);
if (values.out !== undefined) {
  await writeFile(values.out, `${JSON.stringify({ ...about, lengths, summary }, null, 2)}\n`);
}

/** LUD at a threshold that counts what it keeps. */
function counted(threshold) {
  let counts = zero();
  // Guesses of one pass stand side by side; the token behind them is the target's own.
  let run = 0;
  let last;
  const endRun = () => {
    if (run > 0) counts[`of ${run + 1}`]++;
    run = 0;
  };
  const onKept = ({ position, token, targetToken }) => {
    if (position !== last + 1) endRun();
    last = position;
    run++;
    counts.kept++;
    if (token === targetToken) counts.agreed++;
  };
  return {
    name: nameAt(threshold),
    decoder: lud({ head, threshold, onKept }),
    json: { threshold },
    counts: () => {
      endRun();
      const read = counts;
      counts = zero();
      last = undefined;
      return read;
    },
  };
}

/** LUD whose guesses are a draft. */
function verified(threshold) {
  const json = { threshold, verify: true };
  return { name: `lud ${threshold} verified`, decoder: lud({ head, ...json }), json };
}

function zero() {
  const units = Array.from({ length: lookAhead - 1 }, (_, index) => [`of ${index + 2}`, 0]);
  return { kept: 0, agreed: 0, ...Object.fromEntries(units) };
}

function nameAt(threshold) {
  return `lud ${threshold}`;
}

/** Passes by how many tokens they made, and how many guesses were the target's own. */
function lengthsAt(threshold) {
  const answers = measurements.filter(({ decoder }) => decoder === nameAt(threshold));
  const sum = (pick) => answers.reduce((total, one) => total + pick(one), 0);
  const passes = sum(({ targetPasses }) => targetPasses);
  const units = Object.keys(zero()).filter((name) => name.startsWith("of "));
  const longer = units.map((name) => [name, sum(({ counts }) => counts[name])]);
  return {
    threshold,
    passes,
    "of 1": passes - longer.reduce((total, [, count]) => total + count, 0),
    ...Object.fromEntries(longer),
    kept: sum(({ counts }) => counts.kept),
    agreed: sum(({ counts }) => counts.agreed),
  };
}
