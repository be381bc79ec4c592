import type { DraftSource, DraftState, Session } from "@foretoken/core";
import { test } from "vitest";
import { scriptedSource } from "../drafters/scripted-source.ts";
import { randomLaw } from "../scripted/scripted-laws.ts";
import { expectCheckToFail } from "./check.ts";
import { sourceChecks, testSource } from "./test-source.ts";

/** What a source can do wrong. */
type SourceBug =
  | "drafts behind the text of its first round"
  | "keeps the nodes of the last round"
  | "does not know its parents"
  | "drafts behind end tokens"
  | "shares its state with forks"
  | "does not follow the text back"
  | "gives other laws the second time"
  | "leaks a branch";

const scripted = ({ vocabularySize }: { readonly vocabularySize: number }) =>
  scriptedSource({ law: randomLaw({ seed: 8, vocabularySize, order: 3, holes: 0.2 }) });

testSource("scripted", scripted, { draws: 2_000 });

/** A source with a law of the last tokens, right unless given a bug. */
function brokenSource(bug: SourceBug, vocabularySize: number): DraftSource {
  const inner = scripted({ vocabularySize });
  const wrap = (state: DraftState, session: Session, longest = { length: 0 }): DraftState => {
    const held = bug === "leaks a branch" ? session.branch() : undefined;
    let round: Parameters<DraftState["begin"]> | undefined;
    let calls = 0;
    return {
      ...state,
      begin: (...given) => {
        longest.length = Math.max(longest.length, session.tokens.length);
        if (bug === "keeps the nodes of the last round" && round !== undefined) return;
        round = given;
        state.begin(...given);
      },
      expand: async (nodes) => {
        const [tree, { law }] = round!;
        const foreign = (text: readonly number[]) =>
          law.lawOf(Float32Array.from(randomLaw({ seed: 8, vocabularySize, order: 3 })(text), Math.log), {});
        if (bug === "does not know its parents" || bug === "drafts behind end tokens") {
          return nodes.map((node) => foreign([...session.tokens, tree.nodes[0]!.token, ...tree.path(node)]));
        }
        if (bug === "gives other laws the second time") return nodes.map(() => foreign([calls++ % 4]));
        const isBehind = bug === "does not follow the text back" && session.tokens.length < longest.length;
        if (isBehind) return nodes.map(() => foreign([longest.length % 4]));
        return state.expand(nodes);
      },
      observe: async (given) => {
        await state.observe(given);
        if (bug !== "keeps the nodes of the last round") round = undefined;
      },
      fork: (branch) =>
        bug === "shares its state with forks"
          ? wrap(state, branch, longest)
          : wrap(state.fork(branch), branch, { ...longest }),
      dispose: () => {
        if (bug !== "leaks a branch") held?.dispose();
        state.dispose();
      },
    };
  };
  return {
    ...inner,
    start: (context) => {
      const { session } = context;
      let first: readonly number[] | undefined;
      const stuck = {
        get tokens() {
          first ??= [...session.tokens];
          return first;
        },
      } as Session;
      const isStuck = bug === "drafts behind the text of its first round";
      return wrap(inner.start({ ...context, session: isStuck ? stuck : session }), session);
    },
  };
}

const LAWS = "laws depend on the text alone, whatever was drafted and accepted before, and by whom";
const caught: Readonly<Record<SourceBug, string>> = {
  "drafts behind the text of its first round": LAWS,
  "keeps the nodes of the last round": LAWS,
  "does not know its parents": "a node whose parent was not expanded is refused",
  "drafts behind end tokens": "nothing is drafted behind end tokens of the target",
  "shares its state with forks": "laws of a fork are those of its text, and neither disturbs the other",
  "does not follow the text back": "set back, it drafts behind the shorter text, and then behind another one",
  "gives other laws the second time":
    "laws add up to 1, and a node that was expanded before has the same law again",
  "leaks a branch": "disposed, it leaves nothing in the target",
};

test.each(Object.entries(caught))("notices a source that %s", async (bug, name) => {
  const make = ({ vocabularySize }: { readonly vocabularySize: number }) =>
    brokenSource(bug as SourceBug, vocabularySize);
  await expectCheckToFail(sourceChecks(make), name);
});
