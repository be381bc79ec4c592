import { readFile } from "node:fs/promises";
import { DecodingError, type TokenId } from "@foretoken/core";

/** An answer a model once gave, as one JSON line of a file. */
export interface RecordedAnswer {
  readonly group: string;
  /** `[P]` */
  readonly prompt: readonly TokenId[];
  /** `[A]`, the end token included where there was one. */
  readonly answer: readonly TokenId[];
  /** The best candidates behind each token of prompt and answer, best first: `[P + A]` rows, or one less. */
  readonly topK?: readonly (readonly TokenId[])[];
  /** Natural log-probabilities of those candidates, to three places. */
  readonly topLogProbabilities?: readonly (readonly number[])[];
}

/**
 * Reads recorded answers; other members of the lines are ignored.
 * @throws `INVALID_OPTION` for a file that cannot be read, or a line that is no recorded answer.
 */
export async function readRecordedAnswers(path: string): Promise<readonly RecordedAnswer[]> {
  const text = await readFile(path, "utf8").catch((cause: Error) => {
    throw new DecodingError("INVALID_OPTION", {
      message: `Recorded answers ${path} cannot be read: ${cause.message}.`,
      fix: "Pass a file of JSON lines with group, prompt and answer.",
      cause,
    });
  });
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, index) => {
    const answer = parse(line);
    if (answer !== undefined) return answer;
    throw new DecodingError("INVALID_OPTION", {
      message: `Line ${index + 1} of ${path} is no recorded answer: ${line.slice(0, 60)}`,
      fix: "Each line needs group (text), prompt and answer (lists of token ids, neither of them empty).",
    });
  });
}

function parse(line: string): RecordedAnswer | undefined {
  try {
    const value = JSON.parse(line) as RecordedAnswer;
    const areIds = (ids: unknown) => Array.isArray(ids) && ids.length > 0 && ids.every(Number.isInteger);
    return typeof value.group === "string" && areIds(value.prompt) && areIds(value.answer)
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
