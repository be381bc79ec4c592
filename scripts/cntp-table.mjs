// What trials do for answers that a program can check, and what they cost:
//
//   node scripts/cntp-table.mjs [--temperatures 0.8,1.2] [--decoders file] [--seeds 0,1,2,3,4] [--per-group 20] [--out file]
//
// Needs `npm run build`. Answers the tasks of `foretoken bench quality` with plain sampling, sampling at half the temperature, cntp
// with its defaults and as in --decoders (a JSON object of options by name), and for each of these the best of so many whole
// answers, by perplexity, as it computed tokens, task by task. All answers to a task start from one run of its prompt and share passes.
// --out keeps what was measured, one line a task; a run with the same file goes on where it ends. Only counts are reported, so it may
// run beside other work.
import { appendFile, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { qualityTable, qualityTasks, summarizeQuality } from "@foretoken/bench";
import { cntp } from "@foretoken/cntp";
import { generate, plain } from "@foretoken/core";
import { loadModel } from "@foretoken/runtime";

const { values } = parseArgs({
  options: {
    temperatures: { type: "string", default: "0.8,1.2" },
    "top-p": { type: "string", default: "0.9" },
    decoders: { type: "string" },
    seeds: { type: "string", default: "0,1,2,3,4" },
    groups: { type: "string" },
    "per-group": { type: "string", default: "20" },
    "task-seed": { type: "string", default: "0" },
    "max-tokens": { type: "string", default: "64" },
    model: { type: "string", default: "smollm2-135m-instruct" },
    threads: { type: "string" },
    out: { type: "string" },
  },
});

const temperatures = values.temperatures.split(",").map(Number);
const seeds = values.seeds.split(",").map(Number);
const variants = {
  cntp: {},
  ...(values.decoders === undefined ? {} : JSON.parse(await readFile(values.decoders, "utf8"))),
};
const { out, threads: _, ...identity } = values;
const measured = await measuredBefore();
const model = await loadModel(values.model, {
  device: "cpu",
  threads: values.threads === undefined ? undefined : Number(values.threads),
});

for (const task of inTurn(qualityTasks({ ...selection(), perGroup: Number(values["per-group"]) }))) {
  if (measured.some(({ task: id }) => id === task.id)) continue;
  const prompt = model.createSession();
  await generate(model, { messages: task.messages, maxTokens: 1, session: prompt });
  const round = [];
  for (const temperature of temperatures) round.push(...(await answersAt(temperature, task, prompt)));
  prompt.dispose();
  measured.push(...round);
  if (out !== undefined) await appendFile(out, `${JSON.stringify({ identity, variants, round })}\n`);
  console.error(`${task.id}: done`);
}
await model.dispose();
for (const temperature of temperatures) {
  const measurements = measured.filter((one) => one.temperature === temperature);
  const names = [...new Set(measurements.map(({ decoder }) => decoder))];
  console.log(`\ntemperature ${temperature}, top-p ${values["top-p"]}, seeds ${values.seeds}`);
  console.log(qualityTable(summarizeQuality(names, measurements)));
}

function selection() {
  return { groups: values.groups?.split(","), seed: Number(values["task-seed"]) };
}

/** One task of each group, then the next: a run that breaks off has about as many of each. */
function inTurn(tasks) {
  const place = ({ id }) => Number(id.slice(id.lastIndexOf("-") + 1));
  return [...tasks].sort((a, b) => place(a) - place(b));
}

async function measuredBefore() {
  if (out === undefined) return [];
  const text = await readFile(out, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => {
    const { round, ...from } = JSON.parse(line);
    if (JSON.stringify(from) !== JSON.stringify({ identity, variants })) {
      throw new Error(`${out} holds a run with other options: name another file.`);
    }
    return round;
  });
}

/** All contestants' answers to a task, with all seeds. */
async function answersAt(temperature, task, prompt) {
  const ofSeeds = (name, how, make) =>
    Promise.all(
      seeds.map(async (seed) => {
        const { decoder, counts } = make();
        const answer = await answerBehind(prompt, task, { ...how, decoder, seed });
        return { ...measurement(name, temperature, task, seed, answer, [answer]), counts };
      }),
    );
  const names = Object.keys(variants);
  const [bare, lower, ...tried] = await Promise.all([
    ofSeeds("plain", { temperature }, () => ({ decoder: plain() })),
    ofSeeds(`plain at ${temperature / 2}`, { temperature: temperature / 2 }, () => ({ decoder: plain() })),
    ...names.map((name) => ofSeeds(name, { temperature }, () => counted(variants[name]))),
  ]);
  const rows = (measurements) => measurements.reduce((sum, one) => sum + one.rows, 0);
  const counts = tried.map((answers) => Math.max(1, Math.round(rows(answers) / rows(bare))));
  const best = await Promise.all(
    seeds.map(async (seed) => {
      const answers = await Promise.all(
        Array.from({ length: Math.max(...counts) }, (_, index) =>
          answerBehind(prompt, task, { temperature, decoder: plain(), seed: 1_000 + 100 * seed + index }),
        ),
      );
      return names.map((name, index) => {
        const paid = answers.slice(0, counts[index]);
        const kept = paid.reduce((best, one) => (meanSurprise(one) < meanSurprise(best) ? one : best));
        return measurement(`best answer for the price of ${name}`, temperature, task, seed, kept, paid);
      });
    }),
  );
  return [...bare, ...lower, ...tried.flat(), ...best.flat()];
}

async function answerBehind(prompt, { messages }, options) {
  const session = prompt.branch();
  try {
    return await generate(model, {
      messages,
      session,
      topP: Number(values["top-p"]),
      maxTokens: Number(values["max-tokens"]),
      logProbabilities: 0,
      ...options,
    });
  } finally {
    session.dispose();
  }
}

/** What one answer is worth, and what all that were made for it cost. */
function measurement(decoder, temperature, { id, group, score }, seed, { text, finish, tokens }, paid) {
  const total = (value) => paid.reduce((sum, { report }) => sum + value(report), 0);
  return {
    decoder,
    temperature,
    task: id,
    group,
    seed,
    score: score(text),
    answer: text,
    finish,
    tokens: tokens.length,
    targetPasses: total(({ targetPasses }) => targetPasses),
    rows: total(({ rows }) => rows),
    drafted: total(({ drafted }) => drafted),
    accepted: total(({ accepted }) => accepted),
  };
}

/** cntp with a count of what its trials were: of kept tokens, and of kept trials that were one token alone. */
function counted(options) {
  const counts = { places: 0, trials: 0, drawn: 0, kept: 0, alone: 0 };
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
  return { decoder, counts };
}

function meanSurprise({ logProbabilities }) {
  return -logProbabilities.reduce((sum, { processed }) => sum + processed, 0) / logProbabilities.length;
}
