/** Most characters of a value in a message. */
const LONGEST = 60;

/** `value` as a short piece of an error message; never throws, whatever it is given. */
export function showValue(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" && typeof value !== "string") return String(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // Cyclic, or with a bigint in it.
  }
  text ??= Object.prototype.toString.call(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
