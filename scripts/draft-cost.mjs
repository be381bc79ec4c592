// Where the time of sampled drafting goes:
//
//   node scripts/draft-cost.mjs [--head packages/smollm2-heads/smollm2-draft] [--tokens 64] [--temperature 0.6]
//
// Needs `npm run build`, and a machine that does nothing else. Prints for each drafter the shares of the time behind the first token:
// the target's passes, the head's passes, drafting outside of passes, verifying, and the rest.
import { parseArgs } from "node:util";
import { generate, speculative } from "@foretoken/core";
import { dyspec } from "@foretoken/dyspec";
import { rsd } from "@foretoken/rsd";
import { loadModel } from "@foretoken/runtime";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { trainedDraft } from "@foretoken/trained-draft";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "smollm2-135m-instruct" },
    head: { type: "string", default: "packages/smollm2-heads/smollm2-draft" },
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

const source = trainedDraft({ head: values.head });
const drafters = {
  "chain of 3": speculativeSampling({ source, length: 3 }),
  "RSD-S 3 x 3": rsd({ source, width: 3, depth: 3 }),
  "RSD-C 2, 2, 1": rsd({ source, branching: [2, 2, 1] }),
  "DySpec 10": dyspec({ source, nodes: 10 }),
};
console.log("| drafter | target's passes | head's passes | drafting outside of passes | verifying | rest |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const [name, drafter] of Object.entries(drafters)) {
  const decoder = speculative({ drafters: drafter });
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
  const sum = { total: 0, pass: 0, draft: 0, verify: 0 };
  for (const content of PROMPTS) {
    const { times } = (await ask(content, Number(values.tokens))).report;
    sum.total += times.totalMs - times.timeToFirstTokenMs;
    sum.pass += times.passMs;
    sum.draft += times.draftMs;
    sum.verify += times.verifyMs;
  }
  const share = (ms) => `${((100 * ms) / sum.total).toFixed(1)} %`;
  const rest = sum.total - sum.pass - sum.draft - sum.verify;
  console.log(
    `| ${name} | ${[sum.pass, headMs, sum.draft - headMs, sum.verify, rest].map(share).join(" | ")} |`,
  );
}
await model.dispose();
