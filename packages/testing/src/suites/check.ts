import { describe, expect, test } from "vitest";

/** One behaviour of a conformance suite: passes, or throws what failed. */
export interface Check {
  /** A sentence about what is right; stable, so that it can be skipped by name. */
  readonly name: string;
  run(): Promise<void> | void;
}

/** Checks that cannot pass, by name, with the reason. */
export type Skips = Readonly<Record<string, string>>;

/**
 * Registers checks as tests of a `describe` block.
 * @throws When `skip` names no check, so that a skip does not outlive what it was for.
 */
export function registerChecks(title: string, checks: readonly Check[], skip: Skips = {}): void {
  const unknown = Object.keys(skip).filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) throw new Error(`${title} skips checks that do not exist: ${unknown.join("; ")}`);
  describe(title, () => {
    for (const { name, run } of checks) {
      if (skip[name] === undefined) test(name, run);
      else test.skip(`${name} (skipped: ${skip[name]})`, run);
    }
  });
}

/**
 * Fails unless the check of that name fails, by an expectation or a coded error and not by an accident.
 */
export async function expectCheckToFail(checks: readonly Check[], name: string): Promise<void> {
  const check = checks.find((candidate) => candidate.name === name);
  expect(check, `There is no check "${name}"`).toBeDefined();
  const failure = await Promise.resolve()
    .then(() => check!.run())
    .then(
      () => undefined,
      (error: Error) => error,
    );
  expect(failure?.name ?? "passed", `"${name}" did not notice, or stumbled over: ${failure?.stack}`).toMatch(
    /^(AssertionError|DecodingError)$/,
  );
}
