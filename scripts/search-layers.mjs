// Which layers a model can do without when it drafts for itself:
//
//   node scripts/search-layers.mjs [--model name] [--dtype stored] [--tokens 32] [--least 8]
//
// Needs `npm run build`, and minutes. Prints a table, and the entry for plugins/layer-skip/src/known-layers.ts.
//
// Layers are taken away one at a time, always the one whose loss hurts least. What counts is how likely a draft of one token
// would be accepted at temperature 0: the probability that the layers left give, at the draft's temperature, to the token that
// all layers write. Each position of the model's own answers is one row on a branch of its own; they run as one pass.
import { parseArgs } from "node:util";
import { generate } from "@foretoken/core";
import { loadModel } from "@foretoken/runtime";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "smollm2-135m-instruct" },
    dtype: { type: "string" },
    tokens: { type: "string", default: "32" },
    least: { type: "string", default: "8" },
  },
});

/** Nothing that anything is measured with. */
const PROMPTS = [
  "How do I keep a sourdough starter alive?",
  "Explain what a hash table is to a beginner.",
  "Write a short birthday message for my grandmother.",
  "What should I pack for three days in the mountains?",
  "A train leaves at 9:40 and arrives at 12:05. How long is the ride?",
  "Give me three names for a small bookshop.",
  "Translate into Spanish: the library closes at eight.",
  "Summarise in one sentence: rain fell for a week, and the river rose above the old bridge.",
];
const DRAFT_TEMPERATURE = 0.6;
/** Most tokens of a chain that the estimate of a speed-up looks at. */
const LONGEST = 6;
/** Part of a pass that no layer takes: the head is a fifth of the weights of a small model. */
const HEAD = 0.2;

const model = await loadModel(values.model, { dtype: values.dtype });
await model.prepare({ gates: true });
const places = [];
for (const content of PROMPTS) places.push(...(await placesOf(content)));
console.error(`${model.id}, ${model.dtype}: ${places.length} positions`);

let layers = Array.from({ length: model.layers }, (_, layer) => layer);
const found = [{ layers, acceptance: await acceptanceOf(layers) }];
show(found[0]);
while (layers.length > Number(values.least)) {
  let best = { acceptance: -1, layers };
  for (const layer of layers) {
    const rest = layers.filter((other) => other !== layer);
    const acceptance = await acceptanceOf(rest);
    if (acceptance > best.acceptance) best = { acceptance, layers: rest };
  }
  layers = best.layers;
  found.push(best);
  show(best);
}
const chosen = found.reduce((a, b) => (speedUp(b).ratio > speedUp(a).ratio ? b : a));
console.log(JSON.stringify({ [model.contentHash]: { model: model.id, layers: chosen.layers } }));
await model.dispose();

/** One branch for each token of an answer, with the token behind it. */
async function placesOf(content) {
  const prompt = model.tokenizer.renderChat([{ role: "user", content }]).tokens;
  const session = model.createSession();
  const { tokens } = await generate(model, {
    prompt,
    session,
    maxTokens: Number(values.tokens),
    temperature: 0,
  });
  return tokens.map((next, at) => ({
    next,
    token: session.tokens[prompt.length - 1 + at],
    branch: session.branch({ at: prompt.length - 1 + at }),
  }));
}

/** Mean probability of the written token under the layers left. */
async function acceptanceOf(left) {
  const set = Array.from({ length: model.layers }, (_, layer) => left.includes(layer));
  const shares = await Promise.all(
    places.map(async ({ branch, token, next }) => {
      const pass = await branch.forward([{ token }], { logits: "last", layers: set });
      const share = probabilityOf(next, await pass.logits(0));
      branch.discard();
      return share;
    }),
  );
  return shares.reduce((sum, share) => sum + share) / shares.length;
}

function probabilityOf(token, logits) {
  const most = logits.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (const logit of logits) sum += Math.exp((logit - most) / DRAFT_TEMPERATURE);
  return Math.exp((logits[token] - most) / DRAFT_TEMPERATURE) / sum;
}

/** What a chain of the best length would gain, were all its tokens accepted with that probability. */
function speedUp({ layers: { length }, acceptance }) {
  const draft = HEAD + (1 - HEAD) * (length / model.layers);
  const rows = (count) => model.cost.ms(count, 256) / model.cost.ms(1, 256);
  let best = { ratio: 0, tokens: 1 };
  let expected = 1;
  for (let tokens = 1; tokens <= LONGEST; tokens++) {
    expected += acceptance ** tokens;
    const ratio = expected / (rows(tokens + 1) + tokens * draft);
    if (ratio > best.ratio) best = { ratio, tokens };
  }
  return best;
}

function show(candidate) {
  const { ratio, tokens } = speedUp(candidate);
  const { layers: left, acceptance } = candidate;
  console.error(
    `${left.length} layers: acceptance ${acceptance.toFixed(3)}, ${ratio.toFixed(2)} times plain with chains of ${tokens}: ${left.join(" ")}`,
  );
}
