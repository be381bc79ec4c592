// What trials do for answers that a program can check, and what they cost:
//
//   node scripts/cntp-table.mjs --temperature 0.8 --lower 0.4 [--decoders file] [--seeds 0,1,2,3,4] [--per-group 20] [--resume folder] [--out file]
//
// Needs `npm run build`. Answers the tasks of `foretoken bench quality` with plain sampling, sampling at a lower temperature, cntp
// with its defaults and as in --decoders (a JSON object of options by name), and for each of these the best of so many whole
// answers, by perplexity, as cost about as many computed tokens. Seeds run at the same time and share passes. Only counts are
// reported, so it may run beside other work.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureQuality, qualityTable, qualityTasks, summarizeQuality } from "@foretoken/bench";
import { cntp } from "@foretoken/cntp";
import { generate } from "@foretoken/core";
import { loadModel } from "@foretoken/runtime";

const { values } = parseArgs({
  options: {
    temperature: { type: "string", default: "0.8" },
    lower: { type: "string", default: "0.4" },
    "top-p": { type: "string", default: "0.9" },
    decoders: { type: "string" },
    seeds: { type: "string", default: "0,1,2,3,4" },
    groups: { type: "string" },
    "per-group": { type: "string", default: "20" },
    "task-seed": { type: "string", default: "0" },
    "max-tokens": { type: "string", default: "64" },
    model: { type: "string", default: "smollm2-135m-instruct" },
    threads: { type: "string" },
    resume: { type: "string" },
    out: { type: "string" },
  },
});

const seeds = values.seeds.split(",").map(Number);
const tasks = qualityTasks({
  groups: values.groups?.split(","),
  perGroup: Number(values["per-group"]),
  seed: Number(values["task-seed"]),
});
const maxTokens = Number(values["max-tokens"]);
const sampling = { temperature: Number(values.temperature), topP: Number(values["top-p"]) };
const variants = {
  cntp: {},
  ...(values.decoders === undefined ? {} : JSON.parse(await readFile(values.decoders, "utf8"))),
};
const model = await loadModel(values.model, {
  device: "cpu",
  threads: values.threads === undefined ? undefined : Number(values.threads),
});
if (values.resume !== undefined) await mkdir(values.resume, { recursive: true });

const atTemperature = await ofAllSeeds((seed) =>
  measure("cntp", sampling, seed, Object.entries(variants).map(counted)),
);
const lower = await ofAllSeeds((seed) =>
  measure("lower", { ...sampling, temperature: Number(values.lower) }, seed, []),
);
const matched = Object.keys(variants).map((name) => ({
  name: `best of ${timesPlain(name)}, as dear as ${name}`,
  count: timesPlain(name),
}));
const best = await ofAllSeeds((seed) => bestAnswers(seed, matched));

const measurements = [
  ...atTemperature,
  ...lower.map((one) => ({ ...one, decoder: `plain at ${values.lower}` })),
  ...best,
];
const names = [...new Set(measurements.map(({ decoder }) => decoder))];
const summary = summarizeQuality(names, measurements);
console.log(
  `temperature ${sampling.temperature}, top-p ${sampling.topP}, seeds ${values.seeds}, ${tasks.length} tasks`,
);
console.log(qualityTable(summary));
if (values.out !== undefined) {
  await writeFile(values.out, JSON.stringify({ options: values, variants, summary, measurements }));
}
await model.dispose();

async function ofAllSeeds(run) {
  return (await Promise.all(seeds.map(run))).flat();
}

async function measure(name, how, seed, decoders) {
  const resume =
    values.resume === undefined ? undefined : join(values.resume, `${name}-${how.temperature}-${seed}.json`);
  const identity = { model: model.contentHash, dtype: model.dtype, how };
  const options = { model, tasks, seeds: [seed], sampling: how, maxTokens, resume, identity };
  const { measurements } = await measureQuality({
    ...options,
    decoders,
    onProgress: progress(`${name} ${seed}`),
  });
  return measurements;
}

function progress(what) {
  return ({ done, total }) => {
    if (done % 50 === 0) console.error(`${what}: ${done} of ${total}`);
  };
}

/** A contestant with a count of its own of what its trials were. */
function counted([name, options]) {
  const empty = () => ({ places: 0, trials: 0, drawn: 0, kept: 0, alone: 0 });
  let counts = empty();
  const decoder = cntp({
    ...options,
    onTrials: ({ trials, kept }) => {
      const { length } = trials[kept].tokens;
      counts.places++;
      counts.trials += trials.length;
      counts.drawn += trials.reduce((sum, { tokens }) => sum + tokens.length, 0);
      counts.kept += length;
      counts.alone += length === 1 ? 1 : 0;
    },
  });
  return {
    name,
    decoder,
    json: { use: "cntp", ...options },
    counts: () => {
      const told = counts;
      counts = empty();
      return told;
    },
  };
}

/** How many times plain decoding's computed tokens a decoder had, a whole number. */
function timesPlain(decoder) {
  const rowsOf = (name) =>
    atTemperature.filter((one) => one.decoder === name).reduce((sum, { rows }) => sum + rows, 0);
  return Math.max(1, Math.round(rowsOf(decoder) / rowsOf("plain")));
}

/** For each task the answer with the lowest perplexity among as many as each contestant may have; they share their answers. */
async function bestAnswers(seed, contestants) {
  const most = Math.max(...contestants.map(({ count }) => count));
  const found = [];
  for (const { id, group, messages, score } of tasks) {
    const prompt = model.createSession();
    const options = { ...sampling, messages, maxTokens, logProbabilities: 0 };
    await generate(model, { ...options, maxTokens: 1, session: prompt });
    const answers = await Promise.all(
      Array.from({ length: most }, async (_, index) => {
        const session = prompt.branch();
        try {
          return await generate(model, { ...options, session, seed: 1_000 + seed * 100 + index });
        } finally {
          session.dispose();
        }
      }),
    );
    prompt.dispose();
    for (const { name, count } of contestants) {
      const tried = answers.slice(0, count);
      const kept = tried.reduce((best, one) => (meanSurprise(one) < meanSurprise(best) ? one : best));
      const total = (value) => tried.reduce((sum, { report }) => sum + value(report), 0);
      found.push({
        decoder: name,
        task: id,
        group,
        seed,
        score: score(kept.text),
        answer: kept.text,
        finish: kept.finish,
        tokens: kept.tokens.length,
        targetPasses: total(({ targetPasses }) => targetPasses),
        rows: total(({ rows }) => rows),
        drafted: 0,
        accepted: 0,
      });
    }
  }
  return found;
}

function meanSurprise({ logProbabilities }) {
  return -logProbabilities.reduce((sum, { processed }) => sum + processed, 0) / logProbabilities.length;
}
