import { readFileSync } from "node:fs";
import {
  generate,
  lawStateFor,
  plain,
  type RowInput,
  type Session,
  seededRandom,
  speculative,
  type TokenId,
  TokenTree,
} from "@foretoken/core";
import { fileSource, type GraphBuilder, loadRuntime, openGguf, type RuntimeModel } from "@foretoken/runtime";
import { scriptedModel } from "@foretoken/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shared } from "../../../test/shared.ts";
import { headFor } from "./__fixtures__/scripted-network.ts";
import { chimera } from "./chimera.ts";
import { chimeraDraft } from "./chimera-draft.ts";
import { chimeraExtensions, contextRow, queryRow } from "./chimera-graph.ts";
import { type ChimeraHead, loadChimera, ROLES } from "./chimera-head.ts";

/** A network with random weights, and what the training code makes of it: `training/foretoken_training/chimera_fixture.py`. */
const FOLDER = new URL("__fixtures__/tiny-chimera/", import.meta.url);
const expected: {
  readonly tokens: readonly TokenId[];
  readonly textLength: number;
  readonly logits: readonly (readonly number[])[];
} = JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8"));
const text = expected.tokens.slice(0, expected.textLength);
/** Root and tokens behind it. */
const path = expected.tokens.slice(expected.textLength);

let target: RuntimeModel;
let head: ChimeraHead;
beforeAll(async () => {
  const weights = await openGguf(await fileSource(shared("fixtures/gguf/llama-small-F16.gguf")));
  target = await loadRuntime(weights, { dtype: "fp32", threads: 1 });
  await target.prepare({ hidden: ["final"] });
  head = await loadChimera(FOLDER);
});
afterAll(() => target.dispose());

/** Final-norm states of a text, by position. */
async function statesOf(tokens: readonly TokenId[]): Promise<readonly Float32Array[]> {
  const session = target.createSession();
  const rows = tokens.map((token) => ({ token }));
  const values = await (await session.forward(rows, { hidden: ["final"] })).hidden("final").read();
  session.dispose();
  return tokens.map((_, row) => values.slice(row * target.width, (row + 1) * target.width));
}

/** A source that observed a text, whose last token is the root. */
async function sourceBehind(tokens: readonly TokenId[], chunk = tokens.length) {
  const source = chimeraDraft({ head });
  await source.prepare!(target);
  const session = target.createSession();
  const state = source.start({ model: target, session, missingPrefix: 0 });
  for (let from = 0; from < tokens.length - 1; from += chunk) {
    const rowTokens = tokens.slice(from, Math.min(from + chunk, tokens.length - 1));
    const order = [...rowTokens.keys()];
    const pass = await session.forward(
      rowTokens.map((token) => ({ token })),
      { hidden: ["final"] },
    );
    await state.observe({
      kind: "prefill",
      pass,
      position: from,
      rowTokens,
      parents: order.map((row) => row - 1),
      committed: order,
      next: undefined,
      probes: [],
    });
    session.commit(pass.rows);
  }
  const tree = new TokenTree(tokens[tokens.length - 1]);
  const law = lawStateFor(
    { temperature: 1 },
    { vocabularySize: target.vocabularySize, promptTokens: tokens.slice(0, -1) },
  );
  state.begin(tree, { random: seededRandom(1), law });
  return { session, state, tree };
}

/** Probabilities of the network's vocabulary from its logits. */
function probabilities(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - most));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

test.each([16, 2])("a drafted path has the training code's laws, prompt in chunks of %i", async (chunk) => {
  const { session, state, tree } = await sourceBehind([...text, path[0]], chunk);
  let node = 0;
  for (const [step, token] of path.entries()) {
    if (step > 0) {
      // A sibling that no other row may see.
      const [sibling] = [tree.add(node, (token + 1) % target.vocabularySize, "point", "test")];
      node = tree.add(node, token, "point", "test");
      await state.expand([sibling, node]);
    }
    const [law] = await state.expand([node]);
    const wanted = probabilities(expected.logits[step]);
    for (const [index, id] of head.vocabulary.entries()) {
      expect(law!.probability(id)).toBeCloseTo(wanted[index], 5);
    }
  }
  const [deeper] = await state.expand([tree.add(node, 1, "point", "test")]);
  expect(deeper).toBeUndefined();
  session.dispose();
  state.dispose();
});

/** Logits of the network row by row, by the rows of its graph. */
async function logitsOn(
  model: RuntimeModel,
  states: readonly Float32Array[],
  change: (row: RowInput, step: number) => RowInput = (row) => row,
): Promise<Float32Array[]> {
  const session: Session = model.createSession();
  session.commit(
    (await session.forward(text.map((token, row) => contextRow(token, row - 1, states[row])))).rows,
  );
  const all = [...text, ...path];
  const logits: Float32Array[] = [];
  let above: Parameters<typeof queryRow>[1] = -1;
  for (const [step, token] of path.entries()) {
    const at = text.length + step;
    const query = queryRow(token, above, {
      step: step + 1,
      oldest: target.embeddingOf(all[at - 2]),
      middle: target.embeddingOf(all[at - 1]),
      last: states[text.length - 1],
    });
    const pass = await session.forward([change(query, step + 1)], { logits: "all", hidden: ["final"] });
    logits.push((await pass.logits(0)).slice());
    const own = (await pass.hidden("final").read()).slice();
    above = (await session.forward([contextRow(token, above, own)])).rows[0];
  }
  session.dispose();
  return logits;
}

async function networkOf(part: ChimeraHead): Promise<RuntimeModel> {
  const model = await target.loadHead(part);
  await model.prepare({ hidden: ["final"], extensions: chimeraExtensions(part) });
  return model;
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, index) => Math.abs(value - b[index])));

test("logits are the training code's, and each input of a query row matters", async () => {
  const model = await networkOf(head);
  const states = await statesOf(text);
  const given = await logitsOn(model, states);
  for (const [step, logits] of given.entries()) {
    expect(distance(logits, expected.logits[step])).toBeLessThan(1e-3);
  }
  const vectorsOf = ({ vectors = {} }: RowInput) => vectors;
  const changes: readonly ((row: RowInput, step: number) => RowInput)[] = [
    // Two tokens back, one token back: on the path, not in the text in front of the root.
    ...["chimera.oldest", "chimera.middle"].map((name) => (row: RowInput, step: number) => {
      const text3 = target.embeddingOf(text[text.length - 3]);
      return step < 3 ? row : { ...row, vectors: { ...vectorsOf(row), [name]: text3 } };
    }),
    (row) => ({ ...row, vectors: { ...vectorsOf(row), "chimera.last": states[0] } }),
    (row, step) => ({ ...row, integers: { "chimera.step": (step % 3) + 1 } }),
  ];
  for (const change of changes) {
    const changed = await logitsOn(model, states, change);
    expect(distance(changed[2], expected.logits[2])).toBeGreaterThan(1e-2);
  }
});

test("the second token of a text stands for the one it lacks", async () => {
  const [first, root] = text;
  const { session, state } = await sourceBehind([first, root]);
  const [law] = await state.expand([0]);
  const [last] = await statesOf([first]);
  const onRows = (await networkOf(head)).createSession();
  onRows.commit((await onRows.forward([contextRow(first, -1, last)])).rows);
  const [oldest, middle] = [first, root].map((token) => target.embeddingOf(token));
  const pass = await onRows.forward([queryRow(root, -1, { step: 1, oldest, middle, last })], {
    logits: "all",
  });
  const wanted = probabilities([...(await pass.logits(0))]);
  for (const [index, id] of head.vocabulary.entries()) {
    expect(law!.probability(id)).toBeCloseTo(wanted[index], 5);
  }
  for (const each of [session, state, onRows]) each.dispose();
});

test("heads that are the identity give W (h + F)", async () => {
  const identity: ChimeraHead = {
    ...head,
    contentHash: "f".repeat(64),
    floats(role) {
      const values = head.floats(role);
      if (role === ROLES.residual.diagonal || role === ROLES.state.diagonal) return values.fill(1);
      return role === ROLES.residual.outer || role === ROLES.state.outer ? values.fill(0) : values;
    },
  };
  // The same network with nothing behind its final norm: its logits are W F.
  const bare: ChimeraHead = { ...head, contentHash: "e".repeat(64) };
  const [encoder] = chimeraExtensions(bare);
  const last = {
    name: "last",
    site: "logits",
    rowIntegers: [],
    rowVectors: { "chimera.last": target.width },
  } as const;
  const swap = { ...last, build: (graph: GraphBuilder) => graph.node("Identity", ["chimera.last"]) };
  const pass = { ...last, name: "pass", build: (_: GraphBuilder, stream: string) => stream };
  const plainHead = await target.loadHead(bare);
  await plainHead.prepare({ hidden: ["final"], extensions: [encoder, pass] });
  const stateHead = await target.loadHead({ ...bare, contentHash: "d".repeat(64) });
  await stateHead.prepare({ hidden: ["final"], extensions: [encoder, swap] });

  const states = await statesOf(text);
  const both = await logitsOn(await networkOf(identity), states);
  const ofOwn = await logitsOn(plainHead, states);
  const ofTarget = await logitsOn(stateHead, states);
  for (const [step, logits] of both.entries()) {
    const sum = ofOwn[step].map((value, index) => value + ofTarget[step][index]);
    expect(distance(logits, sum)).toBeLessThan(1e-4);
  }
});

test("its cache holds the text in front of the root, as a fresh one would, whatever was drafted", async () => {
  const { session, state, tree } = await sourceBehind([...text, path[0]]);
  const model = await networkOf(head);
  await state.expand([0]);
  const nodes = [tree.add(0, path[1], "point", "test"), tree.add(0, 3, "point", "test")];
  await state.expand(nodes);
  await state.expand([tree.add(nodes[0], path[2], "point", "test")]);
  // Text, and the context rows of root and first node.
  expect(model.cacheUse.rows).toBe(text.length + 2);
  const rows: RowInput[] = tree.nodes.map(({ token, parent }) => ({ token, parent }));
  const pass = await session.forward(rows, { hidden: ["final"] });
  await state.observe({
    kind: "verify",
    pass,
    position: text.length,
    rowTokens: tree.nodes.map(({ token }) => token),
    parents: tree.nodes.map(({ parent }) => parent),
    committed: [0, nodes[0]],
    next: 9,
    probes: [],
  });
  session.commit([pass.rows[0], pass.rows[nodes[0]]]);
  expect(model.cacheUse.rows).toBe(text.length);

  const fresh = await sourceBehind([...text, path[0], path[1], 9]);
  const next = new TokenTree(9);
  const context = {
    random: seededRandom(1),
    law: lawStateFor(
      { temperature: 1 },
      { vocabularySize: target.vocabularySize, promptTokens: session.tokens },
    ),
  };
  state.begin(next, context);
  const [[after], [wanted]] = [await state.expand([0]), await fresh.state.expand([0])];
  expect(model.cacheUse.rows).toBe(2 * (text.length + 2));
  for (const id of head.vocabulary) expect(after!.probability(id)).toBeCloseTo(wanted!.probability(id), 5);
  for (const each of [session, fresh.session, state, fresh.state]) each.dispose();
  expect(model.cacheUse.rows).toBe(0);
});

test.each([{ temperature: 0 }, { temperature: 0.8, seed: 5 }])("changes no token of %o", async (sampling) => {
  const decoder = speculative({ drafters: chimera({ head: FOLDER, nodes: 6 }) });
  for (const prompt of [[5], [5, 17], [5, 17, 300, 41, 8, 99, 412, 3]]) {
    const options = { prompt, maxTokens: 24, ...sampling };
    const wanted = await generate(target, { ...options, decoder: plain() });
    const { tokens, report } = await generate(target, { ...options, decoder });
    expect(tokens).toEqual(wanted.tokens);
    expect(report.drafted).toBeGreaterThan(20);
  }
  expect(target.cacheUse.rows).toBe(0);
});

test("refuses other weights than those it was trained on, a model that takes no heads, and a start before it is loaded", async () => {
  const scripted = scriptedModel({ next: () => 0 });
  const other = { ...head, manifest: headFor(scripted).manifest };
  await expect(chimeraDraft({ head: other }).prepare!(target)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("was trained on target.gguf"),
  });
  expect(chimera({ head: other }).unsupported!(target)).toHaveLength(1);
  expect(chimera({ head: FOLDER }).unsupported!(scripted)).toEqual([
    expect.stringContaining("only models that @foretoken/runtime loads take heads"),
  ]);
  const session = target.createSession();
  expect(() => chimera({ head }).start({ model: target, session, missingPrefix: 0 })).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED" }),
  );
  session.dispose();
});
