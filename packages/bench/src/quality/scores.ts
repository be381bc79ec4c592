import type { QualityTask } from "./task.ts";

type Score = QualityTask["score"];

/** The answer is this text; a full stop at the end and space around do not matter. */
export function isText(wanted: string): Score {
  const bare = (text: string) => text.trim().replace(/\.$/, "");
  return (answer) => toScore(bare(answer) === bare(wanted));
}

/** The first number behind `words` is this one; `1,000` is 1000. */
export function isNumberBehind(words: string, wanted: number): Score {
  return (answer) => {
    const at = answer.indexOf(words);
    const number = at < 0 ? undefined : /-?\d[\d,]*(\.\d+)?/.exec(answer.slice(at + words.length))?.[0];
    return toScore(number !== undefined && Number(number.replaceAll(",", "")) === wanted);
  };
}

/** So many numbered or bare lines, none of them twice. */
export function hasLines(count: number): Score {
  return (answer) => {
    const lines = answer
      .trim()
      .split("\n")
      .map((line) =>
        line
          .replace(/^\s*\d+[.)]/, "")
          .trim()
          .toLowerCase(),
      );
    return toScore(lines.length === count && new Set(lines).size === count && !lines.includes(""));
  };
}

/** The answer is JSON and means this. */
export function isJson(wanted: unknown): Score {
  return (answer) => {
    try {
      return toScore(JSON.stringify(JSON.parse(answer)) === JSON.stringify(wanted));
    } catch {
      return 0;
    }
  };
}

function toScore(isRight: boolean): number {
  return isRight ? 1 : 0;
}
