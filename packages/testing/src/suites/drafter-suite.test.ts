import { type Drafter, generate, speculative, type TokenId, TokenTree } from "@foretoken/core";
import { expect, test } from "vitest";
import { auditedDrafter, newAudit } from "../drafters/audited-drafter.ts";
import { type DraftFault, draftFaults, faultyDrafter } from "../drafters/faulty-drafter.ts";
import { oracleDrafter, randomDrafter } from "../drafters/known-drafters.ts";
import { mixedDrafter, sampledDrafter } from "../drafters/sampled-drafter.ts";
import { randomLaw } from "../scripted/scripted-laws.ts";
import { scriptedModel } from "../scripted/scripted-model.ts";
import { expectCheckToFail } from "./check.ts";
import { looping } from "./suite-scripts.ts";
import { drafterChecks, testDrafter } from "./test-drafter.ts";

const FEW = { draws: 3_000 };

/** What this drafter can do wrong in its state. */
type StateBug =
  | "is not copied by fork"
  | "leaks a branch"
  | "draws token noise"
  | "goes over the limit"
  | "runs the target";

/** A table of what followed each token: a bigram drafter, right unless given a bug. */
function bigramDrafter(bug?: StateBug): Drafter {
  const start =
    (table: Map<TokenId, TokenId>): Drafter["start"] =>
    ({ session }) => {
      const held = bug === "leaks a branch" ? session.branch() : undefined;
      return {
        propose: async (root, limit, { random }) => {
          if (bug === "draws token noise") random.uniform(session.tokens.length, "token");
          if (bug === "runs the target") await session.forward([{ token: root }]);
          const path: TokenId[] = [];
          const most = bug === "goes over the limit" ? limit + 1 : limit;
          for (
            let token = table.get(root);
            token !== undefined && path.length < most;
            token = table.get(token)
          ) {
            path.push(token);
          }
          return TokenTree.chain(root, path, "bigram");
        },
        observe: ({ rowTokens, committed, next }) => {
          const tokens = [...committed.map((row) => rowTokens[row]!), ...(next === undefined ? [] : [next])];
          for (const [at, token] of tokens.slice(1).entries()) table.set(tokens[at]!, token);
        },
        fork: (branch) =>
          start(bug === "is not copied by fork" ? table : new Map(table))({ session: branch } as never),
        truncate: () => {},
        dispose: () => {
          if (bug === "leaks a branch") return;
          held?.dispose();
        },
      };
    };
  return {
    name: "bigram",
    proposal: "deterministic",
    defaultLimit: 4,
    requirements: () => ({}),
    start: (context) => start(new Map())(context),
  };
}

const SKIP_CHUNKS = {
  "the same passes give the same drafts, in whatever chunks the prompt was run":
    "a pair across two chunks is not seen by this simple drafter",
};

testDrafter("bigram", () => bigramDrafter(), { ...FEW, skip: SKIP_CHUNKS });
testDrafter("oracle", (model) => oracleDrafter(model), { ...FEW, forgets: true });
testDrafter(
  "drawn and chosen tokens",
  (model) =>
    mixedDrafter([
      sampledDrafter({
        law: randomLaw({ seed: 8, vocabularySize: model.vocabularySize, order: 1 }),
        endTokens: [...(model.tokenizer?.endTokens ?? [])],
      }),
      randomDrafter({ seed: 9, vocabularySize: model.vocabularySize }),
    ]),
  FEW,
);

const MUTANTS: Readonly<Record<StateBug, string>> = {
  "is not copied by fork": "a fork drafts like the original, and neither disturbs the other",
  "leaks a branch": "dispose frees what it holds in the model",
  "draws token noise": "proposals keep to every limit, draw draft noise only, and leave the session alone",
  "goes over the limit": "proposals keep to every limit, draw draft noise only, and leave the session alone",
  "runs the target": "proposals keep to every limit, draw draft noise only, and leave the session alone",
};

for (const [bug, name] of Object.entries(MUTANTS)) {
  test(`a drafter that ${bug} fails`, async () => {
    await expectCheckToFail(
      drafterChecks(() => bigramDrafter(bug as StateBug), FEW),
      name,
    );
  });
}

for (const [fault, code] of Object.entries(draftFaults)) {
  for (const at of [1, 3]) {
    test(`a drafter that ${fault} in round ${at} is an error with a code, and the session goes on`, async () => {
      const model = scriptedModel(looping);
      const session = model.createSession();
      const prompt = [0, 1, 2];
      const decoder = speculative({ drafters: faultyDrafter({ fault: fault as DraftFault, at }) });
      const options = { prompt, maxTokens: 12, session };
      await expect(generate(model, { ...options, decoder })).rejects.toMatchObject({ code });
      expect([session.pendingCount, model.inspection.liveSlots]).toEqual([0, session.tokens.length]);
      const whole = await generate(model, { prompt, maxTokens: 12 });
      const text = [...prompt, ...whole.tokens];
      expect(session.tokens).toEqual(text.slice(0, session.tokens.length));
      expect((await generate(model, options)).tokens).toEqual(whole.tokens);
    });
  }
}

test("an audit sees prompt chunks, verifications and the end of every drafting", async () => {
  const model = scriptedModel(looping);
  const audit = newAudit();
  const drafters = auditedDrafter(oracleDrafter(model), audit);
  const decoder = speculative({ drafters });
  const { report } = await generate(model, {
    prompt: [0, 1, 2, 3, 4],
    prefillChunk: 2,
    maxTokens: 12,
    decoder,
  });
  expect(audit).toEqual({
    proposals: audit.proposals,
    prefills: 3,
    verifications: report.targetPasses,
    live: 0,
  });
});
