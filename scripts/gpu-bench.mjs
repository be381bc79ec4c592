/**
 * What a GPU gives: `npm run bench:gpu` (build first). Needs Node, this repository's build and a driver for Vulkan, Metal
 * or Direct3D 12. Prints a page of Markdown; progress goes to stderr.
 *
 *   npm run bench:gpu -- --model ./model.gguf --tokens 128 --repeats 3 > gpu.md
 *   npm run bench:gpu -- --texts        only whether texts equal cpu's: a software adapter takes half an hour for that alone
 */
import { arch, cpus, platform } from "node:os";
import { parseArgs } from "node:util";
import { generate, plain, speculative, stream } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";
import { tokenRecycling } from "@foretoken/token-recycling";

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: "smollm2-135m-instruct" },
    dtype: { type: "string", default: "stored" },
    tokens: { type: "string", default: "128" },
    repeats: { type: "string", default: "3" },
    "most-rows": { type: "string", default: "64" },
    texts: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (flags.help) {
  console.log(
    "npm run bench:gpu -- [--model NAME|FILE] [--dtype stored|fp16|fp32|q4] [--tokens N] [--repeats N] [--most-rows N] [--texts]",
  );
  process.exit(0);
}
const maxTokens = wholeNumber("tokens");
const repeats = wholeNumber("repeats");
const mostRows = wholeNumber("most-rows");
const say = (sentence) => process.stderr.write(`${sentence}\n`);

const PROMPTS = [
  "Explain in three short paragraphs why the sky is blue.",
  "Rewrite this list as one sentence each, keeping the words: red apples, green pears, yellow lemons, red cherries.",
  "A train leaves at 9:40 and arrives at 13:05. How long does it take? Show each step.",
];
const EXACT_TOKENS = 24;
const DECODERS = {
  plain: plain(),
  "prompt lookup": speculative({ drafters: [promptLookup()] }),
  "token recycling": speculative({ drafters: [tokenRecycling()] }),
  "both merged": speculative({ drafters: [promptLookup(), tokenRecycling()] }),
};

say("Texts on webgpu and cpu, both in fp32.");
const texts = { cpu: await textsOn("cpu"), webgpu: await textsOn("webgpu") };
const same = texts.cpu.filter((text, i) => text === texts.webgpu[i]).length;
const sameTexts = `Greedy texts of ${EXACT_TOKENS} tokens equal cpu's in fp32: ${same} of ${PROMPTS.length}.`;
if (flags.texts) {
  console.log(sameTexts);
  process.exit(same === PROMPTS.length ? 0 : 1);
}

const model = await loadModel(flags.model, { device: "webgpu", dtype: flags.dtype });
say(`Passes of 1 to ${mostRows} rows.`);
const costs = await costOfPasses();
say("Answers.");
const runs = Object.fromEntries(Object.keys(DECODERS).map((name) => [name, []]));
const exact = Object.fromEntries(Object.keys(DECODERS).map((name) => [name, 0]));
let bytesPerToken = 0;
for (const content of PROMPTS) {
  const ask = (decoder) => generate(model, { messages: [{ role: "user", content }], maxTokens, decoder });
  const reference = (await ask(DECODERS.plain)).tokens.join(" ");
  const round = Object.fromEntries(Object.keys(DECODERS).map((name) => [name, []]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [name, decoder] of Object.entries(DECODERS)) {
      const before = model.bytesRead;
      const { tokens, report } = await ask(decoder);
      if (name === "plain") bytesPerToken = (model.bytesRead - before) / tokens.length;
      if (repeat === 0 && tokens.join(" ") === reference) exact[name]++;
      round[name].push(report);
    }
  }
  for (const [name, reports] of Object.entries(round)) {
    runs[name].push({
      speed: median(reports.map(({ tokensPerSecond }) => tokensPerSecond)),
      blockEfficiency: reports[0].blockEfficiency,
    });
  }
}

console.log(`# ${model.id} on WebGPU

${platform()} ${arch()}, ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.version}, onnxruntime-node ${model.runtimeVersion}, dtype ${model.dtype}.
Trees verified: ${model.selfTest.verifiesTrees}. Rows of one pass: ${model.selfTest.mostRows ?? "any number"}. Read back per token of plain decoding: ${bytesPerToken.toFixed(0)} bytes.

${sameTexts}

| rows | ms | relative |
| ---: | ---: | ---: |
${costs.map(({ rows, ms }) => `| ${rows} | ${ms.toFixed(2)} | ${(ms / costs[0].ms).toFixed(2)} |`).join("\n")}

| decoder | tokens/s, geometric mean of ${PROMPTS.length} prompts | against plain | tokens a pass | same tokens as plain |
| --- | ---: | ---: | ---: | ---: |
${Object.entries(runs)
  .map(([name, prompts]) => {
    const speed = geometricMean(prompts.map((run) => run.speed));
    const ratio = geometricMean(prompts.map((run, i) => run.speed / runs.plain[i].speed));
    const efficiency = geometricMean(prompts.map((run) => run.blockEfficiency));
    return `| ${name} | ${speed.toFixed(1)} | ${ratio.toFixed(2)} | ${efficiency.toFixed(2)} | ${exact[name]} of ${PROMPTS.length} |`;
  })
  .join("\n")}
`);
await model.dispose();

/** Token ids of a greedy answer to each prompt; all at once, since an adapter in software takes as long for one row as for eight. */
async function textsOn(device) {
  const model = await loadModel(flags.model, { device, dtype: "fp32" });
  const answers = await Promise.all(
    PROMPTS.map(async (content, index) => {
      const answer = stream(model, { messages: [{ role: "user", content }], maxTokens: EXACT_TOKENS });
      let count = 0;
      for await (const { tokens } of answer) {
        count += tokens.length;
        if (index === 0) say(`${device}: ${count} of ${EXACT_TOKENS} tokens`);
      }
      return (await answer.result).tokens.join(" ");
    }),
  );
  await model.dispose();
  return answers;
}

/** Medians of passes behind 128 rows, sizes in turns. */
async function costOfPasses() {
  const session = model.createSession();
  const rowsOf = (count) =>
    Array.from({ length: count }, (_, i) => ({ token: (i * 7919 + 13) % model.vocabularySize }));
  session.commit((await session.forward(rowsOf(128))).rows);
  const sizes = [1, 2, 3, 4, 6, 8, 12, 16, 17, 24, 32, 33, 48, 64].filter((size) => size <= mostRows);
  const times = sizes.map(() => []);
  for (let repeat = 0; repeat <= Math.max(5, repeats); repeat++) {
    for (const [index, size] of sizes.entries()) {
      const { elapsedMs } = await session.forward(rowsOf(size), { logits: "all", argmax: true });
      session.discard();
      // The first round compiles shaders.
      if (repeat > 0) times[index].push(elapsedMs);
    }
  }
  session.dispose();
  return sizes.map((rows, index) => ({ rows, ms: median(times[index]) }));
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function wholeNumber(name) {
  const value = Number(flags[name]);
  if (Number.isInteger(value) && value >= 1) return value;
  console.error(`--${name} is ${JSON.stringify(flags[name])}; give a whole number of at least 1.`);
  process.exit(2);
}
