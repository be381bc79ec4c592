const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);

const two = (value: number) => String(value).padStart(2, "0");

const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => DAYS[date.getDay()].slice(0, 3),
  A: (date) => DAYS[date.getDay()],
  b: (date) => MONTHS[date.getMonth()].slice(0, 3),
  B: (date) => MONTHS[date.getMonth()],
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2, " "),
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  S: (date) => two(date.getSeconds()),
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  "%": () => "%",
};

/**
 * Python's `strftime` in the C locale and local time, as far as chat templates use it.
 *
 * Templates were trained with these names, so the reader's own locale must not change them.
 *
 * @see https://docs.python.org/3/library/datetime.html#format-codes; directives not listed here stay as they are.
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (directive, dash, letter) => {
    const value = DIRECTIVES[letter]?.(date) ?? directive;
    return dash === "-" ? value.replace(/^[0 ](?=.)/, "") : value;
  });
}
