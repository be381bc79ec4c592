import type { Choice } from "./choice.ts";
import { isNumberBehind, isText } from "./scores.ts";
import type { TaskMaker } from "./task-maker.ts";
import { NAMES, THINGS } from "./words.ts";

/** `9 + 5 - 1`, with the steps written out. */
export const sums: TaskMaker = {
  group: "sums",
  shots: [sum(4, 3, 2), sum(9, 5, 1), sum(7, 6, 3)],
  make: (choice) => {
    const terms = [choice.whole(2, 12), choice.whole(2, 9), choice.whole(1, 4)] as const;
    return { question: sum(...terms)[0], score: isNumberBehind("answer is", terms[0] + terms[1] - terms[2]) };
  },
};

/** The same in words: somebody gets things and gives some away. */
export const stories: TaskMaker = {
  group: "stories",
  shots: [story("Eva", "cups", 4, 3, 2), story("Leo", "hats", 9, 5, 1)],
  make: (choice) => {
    const terms = [choice.whole(3, 12), choice.whole(2, 9), choice.whole(1, 3)] as const;
    const [question] = story(choice.one(NAMES), choice.one(THINGS), ...terms);
    return { question, score: isNumberBehind("answer is", terms[0] + terms[1] - terms[2]) };
  },
};

const UNITS = [
  ["hour", "minutes", 60],
  ["metre", "centimetres", 100],
  ["day", "hours", 24],
  ["kilogram", "grams", 1000],
  ["week", "days", 7],
  ["dozen", "pieces", 12],
  ["minute", "seconds", 60],
  ["year", "months", 12],
  ["dollar", "cents", 100],
  ["decade", "years", 10],
] as const;

/** So many hours in minutes; how many one has is said. */
export const units: TaskMaker = {
  group: "units",
  shots: [conversion(3, "week", "days", 7), conversion(5, "metre", "centimetres", 100)],
  make: (choice) => {
    const count = choice.whole(2, 12);
    const [large, small, factor] = choice.one(UNITS);
    const [question] = conversion(count, large, small, factor);
    return { question, score: isNumberBehind("answer is", count * factor) };
  },
};

/** All numbers from one to another. */
export const counting: TaskMaker = {
  group: "counting",
  shots: [count(4, 9), count(27, 34)],
  make: (choice) => {
    const [question, answer] = count(...ends(choice));
    return { question, score: isText(answer) };
  },
};

function ends(choice: Choice): [from: number, to: number] {
  const from = choice.whole(3, 190);
  return [from, from + choice.whole(5, 9)];
}

function sum(a: number, b: number, c: number): readonly [string, string] {
  return [
    `What is ${a} + ${b} - ${c}?`,
    `${a} + ${b} = ${a + b}. ${a + b} - ${c} = ${a + b - c}. The answer is ${a + b - c}.`,
  ];
}

function story(name: string, things: string, a: number, b: number, c: number): readonly [string, string] {
  return [
    `${name} has ${a} ${things}. ${name} gets ${b} more ${things}. ${name} gives ${c} ${things} away. How many ${things} are left?`,
    `${name} has ${a} ${things}. With ${b} more there are ${a} + ${b} = ${a + b} ${things}. ` +
      `Without ${c} there are ${a + b} - ${c} = ${a + b - c} ${things}. The answer is ${a + b - c}.`,
  ];
}

function conversion(n: number, large: string, small: string, factor: number): readonly [string, string] {
  return [
    `One ${large} is ${factor} ${small}. How many ${small} are ${n} ${large}s?`,
    `${n} ${large}s are ${n} x ${factor} = ${n * factor} ${small}. The answer is ${n * factor}.`,
  ];
}

function count(from: number, to: number): readonly [string, string] {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return [`Count from ${from} to ${to}.`, numbers.join(", ")];
}
