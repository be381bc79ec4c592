import { hasLines, isJson, isText } from "./scores.ts";
import type { TaskMaker } from "./task-maker.ts";
import { CITIES, JOBS, KINDS, NAMES, WORDS } from "./words.ts";

/** Words, one on a line. */
export const lists: TaskMaker = {
  group: "lists",
  shots: [["Make a list: sugar, door, ship", "- sugar\n- door\n- ship"]],
  make: (choice) => {
    const words = choice.some(WORDS, choice.whole(4, 7));
    return {
      question: `Make a list: ${words.join(", ")}`,
      score: isText(words.map((word) => `- ${word}`).join("\n")),
    };
  },
};

/** So many things of a kind: what they are is not checked, but their number and that none comes twice. */
export const naming: TaskMaker = {
  group: "naming",
  shots: [["Name 3 drinks.", "1. water\n2. tea\n3. milk"]],
  make: (choice) => {
    const count = choice.whole(4, 9);
    return { question: `Name ${count} ${choice.one(KINDS)}.`, score: hasLines(count) };
  },
};

/** Sentences from a line of facts. */
export const sentences: TaskMaker = {
  group: "sentences",
  shots: [
    ["Eva, 33, from Vienna, doctor", "Eva is 33 years old. Eva comes from Vienna and works as a doctor."],
    ["Leo, 51, from Cairo, farmer", "Leo is 51 years old. Leo comes from Cairo and works as a farmer."],
  ],
  make: (choice) => {
    const [name, age, city, job] = [
      choice.one(NAMES),
      choice.whole(18, 80),
      choice.one(CITIES),
      choice.one(JOBS),
    ];
    return {
      question: `${name}, ${age}, from ${city}, ${job}`,
      score: isText(`${name} is ${age} years old. ${name} comes from ${city} and works as a ${job}.`),
    };
  },
};

/** A JSON list of names and ages. */
export const json: TaskMaker = {
  group: "json",
  shots: [
    ["Write as JSON: Eva is 33, Leo is 51.", '[{"name": "Eva", "age": 33}, {"name": "Leo", "age": 51}]'],
  ],
  make: (choice) => {
    const people = choice
      .some(NAMES, choice.whole(3, 4))
      .map((name) => ({ name, age: choice.whole(18, 80) }));
    return {
      question: `Write as JSON: ${people.map(({ name, age }) => `${name} is ${age}`).join(", ")}.`,
      score: isJson(people),
    };
  },
};

/** Words and numbers, as they are. */
export const copying: TaskMaker = {
  group: "copying",
  shots: [["Repeat: sugar door 55 ship", "sugar door 55 ship"]],
  make: (choice) => {
    const numbers = Array.from({ length: 4 }, () => String(choice.whole(10, 99)));
    const text = choice.some([...choice.some(WORDS, 8), ...numbers], 12).join(" ");
    return { question: `Repeat: ${text}`, score: isText(text) };
  },
};
