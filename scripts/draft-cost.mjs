// Where the time of drafting with trained parts goes:
//
//   node scripts/draft-cost.mjs [--heads packages/smollm2-heads] [--tokens 64] [--temperature 0.6]
//
// Needs `npm run build`, and a machine that does nothing else. Prints for each drafter the shares of the time behind the first token:
// the target's passes, the part's own passes, drafting outside of passes, verifying, and the rest. Then what a step takes in
// milliseconds, and a pass of the target over as many rows that are only tokens: what is left is the price of the part.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chimera } from "@foretoken/chimera";
import { fixedBudget, generate, speculative } from "@foretoken/core";
import { dyspec } from "@foretoken/dyspec";
import { hiddenTransfer } from "@foretoken/hidden-transfer";
import { ludDraft } from "@foretoken/lud";
import { ppd } from "@foretoken/ppd";
import { rsd } from "@foretoken/rsd";
import { loadModel } from "@foretoken/runtime";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { trainedDraft } from "@foretoken/trained-draft";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "smollm2-135m-instruct" },
    heads: { type: "string", default: "packages/smollm2-heads" },
    tokens: { type: "string", default: "64" },
    temperature: { type: "string", default: "0" },
  },
});
const PROMPTS = [
  "Explain how bread rises, in three short paragraphs.",
  "Write a short story about a lighthouse keeper and a lost dog.",
  "List five ways to save water at home, with one sentence each.",
];

const model = await loadModel(values.model);
let headMs = 0;
const loadHead = model.loadHead.bind(model);
model.loadHead = async (head) => {
  const loaded = await loadHead(head);
  const createSession = loaded.createSession.bind(loaded);
  loaded.createSession = (options) => timed(createSession(options));
  return loaded;
};
/** Adds up the time of a session's passes, and of those of its branches. */
function timed(session) {
  const { forward, branch } = session;
  session.forward = async (...call) => {
    const pass = await forward.apply(session, call);
    headMs += pass.elapsedMs;
    return pass;
  };
  session.branch = (...call) => timed(branch.apply(session, call));
  return session;
}

const head = (name) => join(values.heads, `smollm2-${name}`);
const source = trainedDraft({ head: head("draft") });
const drafters = {
  "chain of 3": speculativeSampling({ source, length: 3 }),
  "RSD-S 3 x 3": rsd({ source, width: 3, depth: 3 }),
  "RSD-C 2, 2, 1": rsd({ source, branching: [2, 2, 1] }),
  "DySpec 10": dyspec({ source, nodes: 10 }),
  chimera: chimera({ head: head("chimera"), nodes: 16 }),
  ppd: ppd({ head: head("ppd"), rows: 12 }),
  "hidden transfer": hiddenTransfer({ head: head("hidden-transfer"), rows: 12 }),
  LUD: ludDraft({ head: head("lud") }),
};
const measured = [];
for (const [name, drafter] of Object.entries(drafters)) measured.push(await measure(name, drafter));

const count = (value) => value.toFixed(1);
const share = (ms, { total }) => `${((100 * ms) / total).toFixed(1)} %`;
console.log(
  "| drafter | target's passes | part's own passes | drafting outside of passes | verifying | rest |",
);
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const one of measured) {
  const { name, total, pass, own, draft, verify } = one;
  const cells = [pass, own, draft - own, verify, total - pass - draft - verify];
  console.log(`| ${name} | ${cells.map((ms) => share(ms, one)).join(" | ")} |`);
}
console.log(
  "\n| drafter | rows a pass | ms a step | target's pass | tokens alone | own passes | drafting besides |",
);
console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const { name, rows, passes, total, pass, own, draft, plain } of measured) {
  const cells = [total / passes, pass / passes, plain, own / passes, (draft - own) / passes];
  console.log(`| ${name} | ${count(rows / passes)} | ${cells.map(count).join(" | ")} |`);
}
await model.dispose();

async function measure(name, drafter) {
  const decoder = speculative({ drafters: drafter, budget: fixedBudget(64) });
  const ask = (content, maxTokens) =>
    generate(model, {
      messages: [{ role: "user", content }],
      decoder,
      maxTokens,
      temperature: Number(values.temperature),
      seed: 1,
      ignoreEnd: true,
    });
  await ask(PROMPTS[0], 8);
  headMs = 0;
  const sum = { total: 0, pass: 0, draft: 0, verify: 0, rows: 0, passes: 0 };
  for (const content of PROMPTS) {
    const { times, rows, targetPasses } = (await ask(content, Number(values.tokens))).report;
    sum.total += times.totalMs - times.timeToFirstTokenMs;
    sum.pass += times.passMs;
    sum.draft += times.draftMs;
    sum.verify += times.verifyMs;
    sum.rows += rows;
    sum.passes += targetPasses;
  }
  return { name, ...sum, own: headMs, plain: await passMs(sum.rows / sum.passes) };
}

/** Median time of passes over so many tokens behind about as much text; between two whole numbers of rows, in proportion. */
async function passMs(rows) {
  const session = model.createSession();
  const tokens = (length) => Array.from({ length }, (_, i) => ({ token: 1000 + i }));
  session.commit((await session.forward(tokens(64))).rows);
  const [less, more] = [[], []];
  for (let repeat = 0; repeat < 11; repeat++) {
    for (const [size, times] of [
      [Math.floor(rows), less],
      [Math.ceil(rows), more],
    ]) {
      times.push((await session.forward(tokens(size), { logits: "all" })).elapsedMs);
      session.discard();
    }
  }
  session.dispose();
  const median = (times) => times.sort((a, b) => a - b)[5];
  return median(less) + (rows % 1) * (median(more) - median(less));
}
