// The states a judge learns from, from the runtime and the weights it will run on:
//
//   node judge-states.mjs [--in work/judge] [--model smollm2-135m-instruct] [--dtype stored] [--threads 1]
//
// Needs `npm run build` in the root. Reads answers.jsonl and writes two files; a run that broke off goes on.
//
//   states.f32    one state [D] for each row: the residual behind the last layer
//   rows.jsonl    for each answer: { id, kind, answer, ends, first, count, logProbabilities }
//
// An answer has one row more than tokens: row i + 1 of it has read token i, row i has not yet, and gave it its log-probability.
// `ends` are the characters of the answer behind each token. Of a wrong answer only the rows of the mistake are kept. Where a question
// asks for it, the model's own answer at temperature 1 is there too.
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generate } from "@foretoken/core";
import { loadModel } from "@foretoken/runtime";

const { values } = parseArgs({
  options: {
    in: { type: "string", default: "work/judge" },
    model: { type: "string", default: "smollm2-135m-instruct" },
    dtype: { type: "string", default: "stored" },
    threads: { type: "string", default: "1" },
  },
});
const statesPath = join(values.in, "states.f32");
const rowsPath = join(values.in, "rows.jsonl");
const LONGEST_SAMPLE = 40;

const items = readFileSync(join(values.in, "answers.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const model = await loadModel(values.model, {
  dtype: values.dtype,
  device: "cpu",
  threads: Number(values.threads),
});
const { tokenizer, layers, width } = model;
await model.prepare({ hidden: [layers] });
writeFileSync(
  join(values.in, "model.json"),
  `${JSON.stringify({ id: model.id, sha256: model.contentHash, dtype: model.dtype, width, layers })}\n`,
);

let { nextItem, rows } = finished();
for (; nextItem < items.length; nextItem++) {
  const { lines, states } = await statesOf(items[nextItem]);
  appendFileSync(statesPath, states);
  // States first: rows without their line are cut off by the next run.
  appendFileSync(rowsPath, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  if (nextItem % 50 === 49) console.log(`${nextItem + 1}/${items.length} questions, ${rows} rows`);
}
await model.dispose();

async function statesOf({ id, messages, right, wrong, slips, sampled }) {
  const prompt = tokenizer.renderChat(messages).tokens;
  const session = model.createSession();
  const before = await session.forward(prompt.slice(0, -1).map((token) => ({ token })));
  session.commit(before.rows);
  const answers = [
    ...right.map((text) => ({ kind: "right", tokens: tokenizer.encode(text) })),
    ...wrong.map(({ answer, start }) => ({ kind: "wrong", tokens: tokenizer.encode(answer), start })),
    ...slips.map(({ answer, start }) => ({ kind: "slip", tokens: tokenizer.encode(answer), start })),
  ];
  if (sampled) {
    const { tokens } = await generate(model, { prompt, temperature: 1, seed: id, maxTokens: LONGEST_SAMPLE });
    const text = tokens.filter((token) => !tokenizer.specialTokens.has(token));
    if (text.length > 0) answers.push({ kind: "sampled", tokens: text });
  }
  // Branches that wait together share a pass.
  const read = await Promise.all(answers.map((answer) => rowsOf(session.branch(), prompt.at(-1), answer)));
  const lines = [];
  for (const { kind, tokens, ends, logProbabilities } of read) {
    const count = ends.length + 1;
    lines.push({ id, kind, answer: tokenizer.decode(tokens), ends, first: rows, count, logProbabilities });
    rows += count;
  }
  session.dispose();
  return { lines, states: Buffer.concat(read.map(({ states }) => Buffer.from(states.buffer))) };
}

/** The rows of one answer: all, or those of its mistake, and the row before them. */
async function rowsOf(branch, root, { kind, tokens, start = 0 }) {
  const ends = tokens.map((_, index) => tokenizer.decode(tokens.slice(0, index + 1)).length);
  const skipped = ends.findIndex((end) => end > start);
  const pass = await branch.forward(
    [root, ...tokens].map((token) => ({ token })),
    { logits: tokens.map((_, index) => index).slice(skipped), hidden: [layers] },
  );
  const logProbabilities = [];
  for (let index = skipped; index < tokens.length; index++) {
    logProbabilities.push((await pass.logits(index))[tokens[index]] - (await pass.logSumExp(index)));
  }
  const states = (await pass.hidden(layers).read()).slice(skipped * width);
  branch.dispose();
  return { kind, tokens, ends: ends.slice(skipped), logProbabilities, states };
}

/** What an earlier run left behind; states of a question that it did not finish are cut off. */
function finished() {
  if (!existsSync(rowsPath)) {
    writeFileSync(statesPath, "");
    return { nextItem: 0, rows: 0 };
  }
  const last = JSON.parse(readFileSync(rowsPath, "utf8").trim().split("\n").at(-1));
  const rows = last.first + last.count;
  truncateSync(statesPath, rows * width * 4);
  return { nextItem: items.findIndex(({ id }) => id === last.id) + 1, rows };
}
