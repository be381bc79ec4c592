import { readdirSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shared } from "../shared.ts";
import { type BuiltCli, buildCli } from "./build-cli.ts";
import { type ProcessOptions, runProcess } from "./run-process.ts";

const MODEL = shared("fixtures/gguf/llama-small-F16.gguf");
const ESCAPE = String.fromCharCode(27);

let cli: BuiltCli;
let cache: string;

beforeAll(async () => {
  cli = await buildCli("cli-test");
  cache = await newFolder();
});

const newFolder = () => mkdtemp(join(tmpdir(), "foretoken-cli-test-"));

const run = (argv: readonly string[], options: ProcessOptions = {}) =>
  runProcess(cli.script, argv, {
    ...options,
    env: { FORETOKEN_CACHE: cache, FORETOKEN_OFFLINE: "1", ...options.env },
  });

/** A generation long enough to be stopped in the middle. */
const LONG = ["generate", "-m", MODEL, "-d", "plain", "--ignore-end", "-n", "450", "hello"];

describe("G1: in a pipeline", () => {
  test("stdout holds the answer alone and stderr no escapes", async () => {
    for (const name of ["CI", "NO_COLOR", "FORCE_COLOR"]) {
      const env = { [name]: "1" };
      const { code, stdout, stderr } = await run(["generate", "-m", MODEL, "-n", "8", "hello"], { env });
      expect(code).toBe(0);
      expect(stdout.endsWith("\n")).toBe(true);
      expect(stdout).not.toContain("tokens/s");
      expect(stderr).toContain("tokens/s");
      expect(stdout + stderr).not.toContain(ESCAPE);
    }
  });

  test("--json is one object when it works and when it fails", async () => {
    const fine = await run(["generate", "-m", MODEL, "-n", "8", "--json", "hello"]);
    expect(fine.code).toBe(0);
    const { text, tokens, report, guarantee, device, dtype } = JSON.parse(fine.stdout);
    expect(typeof text).toBe("string");
    expect([tokens.length, report.tokens, guarantee.level, device, dtype]).toEqual([
      8,
      8,
      "identical",
      "cpu",
      "stored",
    ]);

    const failed = await run(["generate", "-m", "/no/such.gguf", "--json", "hello"]);
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout).error).toMatchObject({
      code: "MODEL_NOT_FOUND",
      fix: expect.any(String),
    });
    expect(failed.stderr).toBe("");
  });

  test("a reader that goes away stops the generation quietly", async () => {
    const { code, stdout, stderr } = await run(LONG, { onOutput: (_, child) => child.stdout.destroy() });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.length).toBeLessThan(100);
  });

  test("one megabyte on stdin is read, and refused with both numbers", async () => {
    const { code, stdout, stderr } = await run(["generate", "-m", MODEL], {
      stdin: "hello ".repeat(170_000),
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /PROMPT_TOO_LONG The prompt has \d{6,} tokens and llama-small-F16.gguf a context of 512/,
    );
  });

  test("empty stdin is a usage error, before any model is loaded", async () => {
    const { code, stderr } = await run(["generate", "-m", "/no/such.gguf"]);
    expect(code).toBe(2);
    expect(stderr).toContain("EMPTY_PROMPT");
  });
});

describe("E1: Ctrl-C", () => {
  test("once: the answer ends, what was made is printed, the process ends by itself", async () => {
    let isPressed = false;
    const { code, stdout, stderr } = await run(LONG, {
      onOutput: (_, child) => {
        if (!isPressed) child.kill("SIGINT");
        isPressed = true;
      },
    });
    expect(code).toBe(130);
    expect(stdout.length).toBeGreaterThan(1);
    expect(stderr).toContain("(aborted)");
  });

  test("twice: the process ends at once", async () => {
    let isPressed = false;
    const { code } = await run(LONG, {
      onOutput: (_, child) => {
        if (isPressed) return;
        isPressed = true;
        child.kill("SIGINT");
        child.kill("SIGINT");
      },
    });
    expect(code).toBe(130);
  });
});

test("E4: four processes on an empty cache give one text, and leave no half files", async () => {
  const empty = await newFolder();
  const argv = ["generate", "-m", MODEL, "-n", "12", "-q", "hello"];
  const runs = await Promise.all([1, 2, 3, 4].map(() => run(argv, { env: { FORETOKEN_CACHE: empty } })));
  expect(new Set(runs.map(({ code, stdout }) => `${code} ${stdout}`)).size).toBe(1);
  expect(runs[0]!.code).toBe(0);
  const left = await readdir(empty, { recursive: true });
  expect(left.filter((name) => /tmp|partial|lock/.test(name))).toEqual([]);
  expect(await run(argv, { env: { FORETOKEN_CACHE: empty } })).toMatchObject({
    code: 0,
    stdout: runs[0]!.stdout,
  });
});

test("help loads neither core nor runtime nor plugins", () => {
  const heavy = cli.loadedAtOnce.filter(
    (path) => !path.startsWith("packages/cli/") && !path.startsWith("node:"),
  );
  expect(heavy).toEqual(["commander"]);
});

test("doctor tells machine, packages, cache, plugins and what the model is", async () => {
  const { code, stdout } = await run(["doctor", "-m", MODEL, "--json"]);
  expect(code).toBe(0);
  const report = JSON.parse(stdout);
  expect(report.node).toBe(process.version);
  expect(report.cache.folder).toBe(cache);
  expect(report.packages.map(({ name }: { name: string }) => name)).toContain("onnxruntime-node");
  // Some offer a second part: the same as a draft.
  expect(report.plugins.map(({ name }: { name: string }) => name).sort()).toEqual(
    [...readdirSync("plugins"), "chimera-draft", "lud-draft", "skip-decode-draft"].sort(),
  );
  expect(report.model).toMatchObject({ device: "cpu", vocabularySize: 512, contextLength: 512 });
  expect(report.model.endTokens.length).toBeGreaterThan(0);
});

test("doctor fails with the reason when the model does not work", async () => {
  const { code, stdout } = await run(["doctor", "-m", shared("fixtures/broken/truncated-data.gguf")]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/does not work: CORRUPT_MODEL/);
});
