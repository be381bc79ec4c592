import { expect, test } from "vitest";
import { qualityTasks } from "./quality-tasks.ts";
import type { QualityTask } from "./task.ts";

const question = ({ messages }: QualityTask) => messages.at(-1)!.content as string;

test("the same seed gives the same tasks, and more tasks go on behind fewer", () => {
  const questions = (seed: number, perGroup: number) =>
    qualityTasks({ seed, perGroup, groups: ["units"] }).map(question);
  expect(questions(3, 10)).toEqual(questions(3, 10));
  expect(questions(3, 10).slice(0, 4)).toEqual(questions(3, 4));
  expect(questions(4, 10)).not.toEqual(questions(3, 10));
});

test("the tasks of a group do not depend on which other groups there are", () => {
  const among = qualityTasks({ perGroup: 3 }).filter(({ group }) => group === "json");
  const alone = qualityTasks({ perGroup: 3, groups: ["json"] });
  expect(among.map(question)).toEqual(alone.map(question));
});

test("ids and questions are never there twice", () => {
  const tasks = qualityTasks({ perGroup: 30 });
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length);
  expect(new Set(tasks.map(question)).size).toBe(tasks.length);
});

test("worked examples stand in front of every question, and none of them is asked", () => {
  const tasks = qualityTasks({ perGroup: 12 }).concat(qualityTasks({ perGroup: 200, groups: ["sums"] }));
  for (const task of tasks) {
    const roles = task.messages.map(({ role }) => role).join(" ");
    expect(roles).toMatch(/^(user assistant )+user$/);
    expect(task.messages.slice(0, -1).map(({ content }) => content)).not.toContain(question(task));
    expect(task.score("")).toBe(0);
  }
});

/** An independent reading of each question. */
const solvers: Readonly<Record<string, (question: string) => string>> = {
  sums: (text) => {
    const [a, b, c] = numbersOf(text);
    return `${a} + ${b} is something. The answer is ${a + b - c}.`;
  },
  stories: (text) => {
    const [a, b, c] = numbersOf(text);
    return `The answer is ${a + b - c}.`;
  },
  units: (text) => {
    const [factor, count] = numbersOf(text);
    return `The answer is ${(factor * count).toLocaleString("en")}.`;
  },
  counting: (text) => {
    const [from, to] = numbersOf(text);
    return Array.from({ length: to - from + 1 }, (_, index) => index + from).join(", ");
  },
  lists: (text) =>
    text
      .replace("Make a list: ", "")
      .split(", ")
      .map((word) => `- ${word}`)
      .join("\n"),
  naming: (text) =>
    Array.from({ length: numbersOf(text)[0] }, (_, index) => `${index + 1}. thing ${index}`).join("\n"),
  sentences: (text) => {
    const [name, age, city, job] = text.replace("from ", "").split(", ");
    return `${name} is ${age} years old. ${name} comes from ${city} and works as a ${job}.`;
  },
  json: (text) =>
    JSON.stringify(
      [...text.matchAll(/(\w+) is (\d+)/g)].map(([, name, age]) => ({ name, age: Number(age) })),
    ),
  copying: (text) => text.replace("Repeat: ", ""),
};

test("a solver of its own gets every task right, and the next task's answer wrong", () => {
  const tasks = qualityTasks({ perGroup: 12, seed: 5 });
  expect(new Set(tasks.map(({ group }) => group))).toEqual(new Set(Object.keys(solvers)));
  for (const task of tasks)
    expect([task.id, task.score(solvers[task.group]!(question(task)))]).toEqual([task.id, 1]);
  const counts = tasks.filter(({ group }) => group === "counting");
  expect(counts[0]!.score(solvers.counting!(question(counts[1]!)))).toBe(0);
});

test("almost right is wrong", () => {
  const [sum] = qualityTasks({ perGroup: 1, groups: ["sums"] });
  const [a, b, c] = numbersOf(question(sum!));
  expect(sum!.score(`${a + b - c}`)).toBe(0);
  expect(sum!.score(`The answer is ${a + b - c}0.`)).toBe(0);
  const [list] = qualityTasks({ perGroup: 1, groups: ["naming"] });
  const count = numbersOf(question(list!))[0]!;
  expect(list!.score(Array.from({ length: count }, () => "- the same").join("\n"))).toBe(0);
});

test("an unknown group and more tasks than there are is refused by name", () => {
  expect(() => qualityTasks({ groups: ["poems"] })).toThrow(/poems/);
  expect(() => qualityTasks({ groups: ["naming"], perGroup: 500 })).toThrow(/not 500 different tasks naming/);
});

function numbersOf(text: string): number[] {
  return [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}
