// What decoders would gain on recorded answers, at given prices of rows:
//
//   node scripts/replay.mjs record --out answers.jsonl [--prompts file --ids file --first 10] [--temperature 0.8 --top-p 0.95] [--threads 1]
//   node scripts/replay.mjs answers.jsonl plain prompt-lookup '{"use":"prompt-lookup","maxTokens":3}'
//   node scripts/replay.mjs answers.jsonl plain prompt-lookup --against '{"use":"speculative","drafters":"prompt-lookup","budget":"auto"}'
//
// With --against, also how near that decoder comes to the best of the others, chosen anew for every answer.
//
// Needs `npm run build`. Keep recordings of prompts that are not yours out of the repository.
import { appendFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { plugin as aded } from "@foretoken/aded";
import { readPrompts, readRecordedAnswers, recordAnswer, replay, replayTable } from "@foretoken/bench";
import { plugin as bigram } from "@foretoken/bigram";
import { createRegistry } from "@foretoken/core";
import { plugin as promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";
import { plugin as tokenRecycling } from "@foretoken/token-recycling";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: "answers.jsonl" },
    model: { type: "string", default: "smollm2-135m-instruct" },
    prompts: { type: "string" },
    ids: { type: "string" },
    first: { type: "string" },
    temperature: { type: "string", default: "0" },
    "top-p": { type: "string", default: "1" },
    prices: { type: "string" },
    threads: { type: "string" },
    against: { type: "string", multiple: true, default: [] },
  },
});

if (positionals[0] === "record") await record();
else await print(positionals);

async function record() {
  const first = values.first === undefined ? undefined : Number(values.first);
  const prompts = await readPrompts({ file: values.prompts, ids: values.ids, first });
  const sampling = { temperature: Number(values.temperature), topP: Number(values["top-p"]) };
  const model = await loadModel(values.model, { threads: values.threads && Number(values.threads) });
  await writeFile(values.out, "");
  for (const [seed, { group, text }] of prompts.entries()) {
    const prompt = model.tokenizer.renderChat([{ role: "user", content: text }]).tokens;
    const answer = await recordAnswer(model, { group, prompt, sampling, seed });
    await appendFile(values.out, `${JSON.stringify(answer)}\n`);
    console.error(`${seed + 1}/${prompts.length} ${group}: ${answer.answer.length} tokens`);
  }
  await model.dispose();
}

async function print([path, ...decoders]) {
  const registry = createRegistry();
  for (const plugin of [aded, bigram, promptLookup, tokenRecycling]) registry.register(plugin);
  const parse = (text) => (/^[[{]/.test(text) ? JSON.parse(text) : text);
  const compose = (texts) =>
    Object.fromEntries(texts.map((text) => [text, registry.compose("decoder", parse(text))]));
  const answers = await readRecordedAnswers(path);
  const prices = values.prices?.split(",").map(Number);
  console.log(
    replayTable(await replay({ answers, prices, decoders: compose([...decoders, ...values.against]) })),
  );
  if (values.against.length === 0) return;

  const logs = new Map([["", 0], ...values.against.map((text) => [text, 0])]);
  const told = answers.filter(({ answer }) => answer.length > 1);
  for (const answer of told) {
    const rows = await replay({
      answers: [answer],
      prices,
      decoders: compose([...decoders, ...values.against]),
    });
    const speedUp = (text) => rows.find(({ decoder }) => decoder === text).pricedSpeedUp;
    logs.set("", logs.get("") + Math.log(Math.max(...decoders.map(speedUp))));
    for (const text of values.against) logs.set(text, logs.get(text) + Math.log(speedUp(text)));
  }
  const meanOf = (text) => Math.exp(logs.get(text) / told.length);
  console.log(`\nbest of ${decoders.length} for each of ${told.length} answers: ${meanOf("").toFixed(3)}`);
  for (const text of values.against) {
    console.log(`${meanOf(text).toFixed(3)}, ${(meanOf(text) / meanOf("")).toFixed(3)} of that: ${text}`);
  }
}
