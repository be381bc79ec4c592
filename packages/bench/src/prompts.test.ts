import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPrompts } from "./prompts.ts";

async function file(name: string, text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "foretoken-prompts-")), name);
  await writeFile(path, text);
  return path;
}

const lines = [
  '{"id": 1, "category": "writing", "turns": ["first", "second"]}',
  '{"id": 2, "category": "coding", "turns": ["other"]}',
  '{"id": 3, "group": "qa", "text": "question"}',
].join("\r\n");

test("the package's own prompts cover six groups, two each", async () => {
  const prompts = await readPrompts();
  const sizes = new Map<string, number>();
  for (const { group } of prompts) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  expect([...sizes.values()]).toEqual([2, 2, 2, 2, 2, 2]);
});

test("an id list names the groups, their order and their members", async () => {
  const ids = await file("ids.json", '{"note": "text is no list", "qa": [3], "chat": [2, 1]}');
  const prompts = await readPrompts({ file: await file("prompts.jsonl", lines), ids });
  expect(prompts.map(({ group, id, text }) => [group, id, text])).toEqual([
    ["qa", "3", "question"],
    ["chat", "2", "other"],
    ["chat", "1", "first"],
  ]);
});

test("first cuts every group, groups chooses among them", async () => {
  const ids = await file("ids.json", '{"qa": [3], "chat": [2, 1]}');
  const from = { file: await file("prompts.jsonl", lines), ids };
  expect((await readPrompts({ ...from, first: 1 })).map(({ id }) => id)).toEqual(["3", "2"]);
  expect((await readPrompts({ ...from, groups: ["chat"] })).map(({ id }) => id)).toEqual(["2", "1"]);
});

test.each([
  ["an unknown id", { ids: '{"qa": [99]}' }, "99"],
  ["a list that is no JSON", { ids: "{" }, "ids.json"],
  ["a line that is no JSON", { text: `${lines}\n{"id"` }, "Line 4"],
  ["a line without text", { text: '{"id": 1}' }, "Line 1"],
  ["an id twice", { text: `${lines}\n${lines}` }, "1 twice"],
  ["nothing", { text: "\n" }, "no prompt"],
])("%s is refused by name", async (_, { ids, text }: { ids?: string; text?: string }, named) => {
  const selection = {
    file: await file("prompts.jsonl", text ?? lines),
    ids: ids === undefined ? undefined : await file("ids.json", ids),
  };
  await expect(readPrompts(selection)).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining(named),
  });
});

test("an unknown group and a missing file are refused by name", async () => {
  await expect(readPrompts({ groups: ["poetry"] })).rejects.toMatchObject({
    message: expect.stringContaining("poetry"),
  });
  await expect(readPrompts({ file: "/no/such.jsonl" })).rejects.toMatchObject({ code: "INVALID_OPTION" });
});
