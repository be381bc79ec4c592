import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { strftime } from "./strftime.ts";

/** A parsed Jinja template. */
export interface JinjaProgram {
  /**
   * @param now - What `strftime_now` reads; the library's own `render` would take the machine's clock and locale.
   * @throws `Error` with the template's own words from `raise_exception`, or the engine's about a wrong value.
   */
  run(variables: Readonly<Record<string, unknown>>, now: Date): string;
}

/** @throws `SyntaxError` when `source` is no Jinja. */
export function jinjaProgram(source: string): JinjaProgram {
  const { parsed } = new Template(source);
  return {
    run(variables, now) {
      const environment = new Environment();
      const names = { ...CONSTANTS, strftime_now: (format: string) => strftime(now, format), ...variables };
      for (const [name, value] of Object.entries(names)) environment.set(name, value);
      const { value } = new Interpreter(environment).run(parsed);
      return String(value);
    },
  };
}

/** What every chat template may use. */
const CONSTANTS = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range,
  raise_exception(message: string) {
    throw new Error(message);
  },
};

/** Python's `range`. */
function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  return Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);
}
