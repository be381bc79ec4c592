import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DecodingError } from "@foretoken/core";

/** A prompt of a benchmark. */
export interface BenchPrompt {
  readonly id: string;
  /** What it belongs to: figures are given by group. */
  readonly group: string;
  /** The user's message. */
  readonly text: string;
}

/** Which prompts to read. */
export interface PromptSelection {
  /**
   * JSON lines, each with `id`, `turns` (the first one is used) or `text`, and `group` or `category`. Default: this
   * package's own small file.
   */
  readonly file?: string;
  /** A JSON object of groups, each a list of ids; other prompts are left out. */
  readonly ids?: string;
  /** Only these groups. */
  readonly groups?: readonly string[];
  /** Only the first so many prompts of each group, in the order of the id list, else of the file. */
  readonly first?: number;
}

const OWN_PROMPTS = new URL("../prompts.jsonl", import.meta.url);

/**
 * Reads prompts in the order groups and ids are listed.
 *
 * @throws `INVALID_OPTION` for files that cannot be read or parsed, unknown ids and groups, and an empty selection.
 */
export async function readPrompts({
  file,
  ids,
  groups,
  first,
}: PromptSelection = {}): Promise<readonly BenchPrompt[]> {
  const path = file ?? fileURLToPath(OWN_PROMPTS);
  const all = parsePrompts(await readText(path), path);
  const byGroup = ids === undefined ? groupsOf(all) : pick(all, await readIds(ids), path);
  const missing = groups?.find((name) => !byGroup.has(name));
  if (missing !== undefined) {
    throw invalid(`There is no group ${missing}.`, `Groups are ${[...byGroup.keys()].join(", ")}.`);
  }
  const chosen = [...byGroup]
    .filter(([name]) => groups === undefined || groups.includes(name))
    .flatMap(([, prompts]) => prompts.slice(0, first));
  if (chosen.length === 0)
    throw invalid(`${path} gives no prompt.`, "Choose other groups, or a higher --first.");
  return chosen;
}

function parsePrompts(text: string, path: string): BenchPrompt[] {
  const prompts = text.split(/\r?\n/).flatMap((line, index): BenchPrompt[] => {
    if (line.trim() === "") return [];
    const where = `Line ${index + 1} of ${path}`;
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw invalid(`${where} is not JSON: ${line.slice(0, 60)}`, "Give JSON lines, one prompt each.", cause);
    }
    const { id, group, category } = value;
    const prompt = Array.isArray(value.turns) ? value.turns[0] : value.text;
    if (id === undefined || typeof prompt !== "string" || prompt === "") {
      throw invalid(
        `${where} has no id, or neither turns nor text.`,
        'Write {"id": 1, "group": "chat", "text": "…"}.',
      );
    }
    return [{ id: String(id), group: String(group ?? category ?? "all"), text: prompt }];
  });
  const repeated = prompts.find(({ id }, index) => prompts.findIndex((other) => other.id === id) !== index);
  if (repeated !== undefined)
    throw invalid(`${path} holds the id ${repeated.id} twice.`, "Give every prompt its own id.");
  return prompts;
}

function groupsOf(prompts: readonly BenchPrompt[]): Map<string, BenchPrompt[]> {
  const groups = new Map<string, BenchPrompt[]>();
  for (const prompt of prompts) groups.set(prompt.group, [...(groups.get(prompt.group) ?? []), prompt]);
  return groups;
}

function pick(
  prompts: readonly BenchPrompt[],
  lists: ReadonlyMap<string, readonly string[]>,
  path: string,
): Map<string, BenchPrompt[]> {
  const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  return new Map(
    [...lists].map(([group, ids]) => [
      group,
      ids.map((id) => {
        const prompt = byId.get(id);
        if (prompt === undefined)
          throw invalid(`${path} has no prompt ${id} (group ${group}).`, "Use the list of this file.");
        return { ...prompt, group };
      }),
    ]),
  );
}

/** Lists of ids by group; values that are no lists, such as a note, are left out. */
async function readIds(path: string): Promise<Map<string, string[]>> {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(await readText(path));
  } catch (cause) {
    if (cause instanceof DecodingError) throw cause;
    throw invalid(`${path} is not JSON.`, 'Write {"chat": [1, 2], "qa": [3]}.', cause);
  }
  return new Map(
    Object.entries(value).flatMap(([group, ids]) =>
      Array.isArray(ids) ? [[group, ids.map(String)] as const] : [],
    ),
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw invalid(
      `${path} cannot be read: ${(cause as Error).message}`,
      "Give the path of a file that exists.",
      cause,
    );
  }
}

function invalid(message: string, fix: string, cause?: unknown): DecodingError {
  return new DecodingError("INVALID_OPTION", { message, fix, cause });
}
