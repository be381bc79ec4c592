// Answers prompts with transformers.js for `foretoken bench --peers`: JSON lines in, JSON lines out. It is copied into the
// folder that transformers.js is installed in and runs there.
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { AutoModelForCausalLM, AutoTokenizer, BaseStreamer, env, Tensor } from "@huggingface/transformers";

/** Notes when tokens come; the first call shows the prompt. */
class Clock extends BaseStreamer {
  #calls = 0;
  first = 0;
  last = 0;
  put() {
    if (this.#calls++ === 0) return;
    this.last = performance.now();
    if (this.#calls === 2) this.first = this.last;
  }
  end() {}
}

const { folder, dtype } = JSON.parse(process.argv[2]);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
const model = await AutoModelForCausalLM.from_pretrained(basename(folder), { dtype, device: "cpu" });
say({ ready: true });

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.text !== undefined)
    say({ tokens: tokenizer.encode(request.text, { add_special_tokens: false }) });
  else say(await answer(request));
}

async function answer({ prompt, maxTokens, endTokens }) {
  const shape = [1, prompt.length];
  const clock = new Clock();
  const began = performance.now();
  const output = await model.generate({
    input_ids: new Tensor("int64", BigInt64Array.from(prompt, BigInt), shape),
    attention_mask: new Tensor("int64", new BigInt64Array(prompt.length).fill(1n), shape),
    max_new_tokens: maxTokens,
    do_sample: false,
    eos_token_id: endTokens,
    streamer: clock,
  });
  const tokens = Array.from(output.data, Number).slice(prompt.length);
  return { tokens, timeToFirstTokenMs: clock.first - began, decodeMs: clock.last - clock.first };
}
