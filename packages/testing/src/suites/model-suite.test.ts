import type { Model, PendingRow, RowInput, Session, Wants } from "@foretoken/core";
import { test } from "vitest";
import { randomLaw } from "../scripted/scripted-laws.ts";
import { scriptedModel } from "../scripted/scripted-model.ts";
import { expectCheckToFail } from "./check.ts";
import { modelChecks, testModel } from "./test-model.ts";

/** Scripted embeddings are codes, not what the model computes with. */
const OPTIONS = { embeddings: false, tolerance: 0 };

const sound = () =>
  scriptedModel({ law: randomLaw({ seed: 2, vocabularySize: 12 }), vocabularySize: 12, width: 16 });

testModel("scripted", sound, OPTIONS);

/** A fault of a session, put in front of a sound one. */
type SessionBug =
  | "hangs every row behind the one before"
  | "forgets to free what is not committed"
  | "gives out the row above"
  | "ignores the signal"
  | "runs all layers always"
  | "truncates one token too few";

const MUTANTS: Readonly<Record<SessionBug, string>> = {
  "hangs every row behind the one before":
    "a row sees the text, its ancestors and itself, over one pass or two",
  "forgets to free what is not committed":
    "round after round, the committed path is the text and the rest is forgotten",
  "gives out the row above": "a row sees the text, its ancestors and itself, over one pass or two",
  "ignores the signal": "E1: an aborted call leaves nothing behind",
  "runs all layers always": "a layer that a visible row skipped cannot run",
  "truncates one token too few": "B1: the last token again gives the same logits",
};

function withBug(bug: SessionBug): Model {
  const model = sound();
  const createSession = model.createSession;
  return Object.assign(model, {
    createSession: (options?: Parameters<Model["createSession"]>[0]) =>
      breakSession(createSession(options), bug),
  });
}

function breakSession<T extends Session>(session: T, bug: SessionBug): T {
  const { forward, commit, truncate } = session;
  const alive = new Set<PendingRow>();
  return Object.assign(session, {
    forward: async (rows: readonly RowInput[], wants: Wants = {}) => {
      const chained = rows.map(({ parent, ...row }, index) => (index === 0 ? { parent, ...row } : row));
      const pass = await forward.call(
        session,
        bug === "hangs every row behind the one before" ? chained : rows,
        {
          ...wants,
          signal: bug === "ignores the signal" ? undefined : wants.signal,
          layers: bug === "runs all layers always" ? undefined : wants.layers,
        },
      );
      for (const row of pass.rows) alive.add(row);
      if (bug !== "gives out the row above") return pass;
      const { logits } = pass;
      return Object.assign(pass, { logits: (row: number) => logits.call(pass, Math.max(0, row - 1)) });
    },
    commit: (path: Parameters<Session["commit"]>[0], options?: Parameters<Session["commit"]>[1]) => {
      if (bug !== "forgets to free what is not committed") return commit.call(session, path, options);
      for (const row of path) alive.delete(row);
      commit.call(session, path, { keep: [...alive] });
    },
    truncate: (length: number) =>
      truncate.call(session, length + (bug === "truncates one token too few" ? 1 : 0)),
  });
}

for (const [bug, name] of Object.entries(MUTANTS)) {
  test(`a session that ${bug} fails`, async () => {
    await expectCheckToFail(
      modelChecks(() => withBug(bug as SessionBug), OPTIONS),
      name,
    );
  });
}
