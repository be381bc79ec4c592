// Answers prompts with node-llama-cpp for `foretoken bench --peers`: JSON lines in, JSON lines out. It is copied into the
// folder that node-llama-cpp is installed in and runs there.
import { createInterface } from "node:readline";
import { getLlama, InputLookupTokenPredictor, LlamaLogLevel } from "node-llama-cpp";

const { gguf, threads, lookup, contextSize } = JSON.parse(process.argv[2]);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath: gguf });
const context = await model.createContext({ contextSize, threads });
const tokenPredictor = lookup ? new InputLookupTokenPredictor() : undefined;
const sequence = context.getSequence({ tokenPredictor });
say({ ready: true });

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.text !== undefined) say({ tokens: model.tokenize(request.text, true) });
  else say(await answer(request));
}

async function answer({ prompt, maxTokens, endTokens }) {
  await sequence.clearHistory();
  const tokens = [];
  const began = performance.now();
  let first = 0;
  let last = 0;
  tokenPredictor?.updateInputTokens(prompt);
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    last = performance.now();
    if (tokens.length === 0) first = last;
    tokens.push(token);
    if (tokens.length === maxTokens || endTokens.includes(token)) break;
  }
  return { tokens, timeToFirstTokenMs: first - began, decodeMs: last - first };
}
