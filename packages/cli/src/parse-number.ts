import { InvalidArgumentError } from "commander";

/** Reads a finite number; ranges are checked by what it is for. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

/** Reads a whole number. */
export function parseWhole(text: string): number {
  const value = parseNumber(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("It must be a whole number.");
  return value;
}

/** Reads whole numbers with commas between them, and adds them to those of earlier uses of the flag. */
export function collectWholes(text: string, earlier: readonly number[] = []): readonly number[] {
  return [...earlier, ...text.split(",").map(parseWhole)];
}

/** Collects the values of a flag that may be given several times. */
export function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}
