import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runScripted } from "../__fixtures__/run-scripted.ts";

const TEXT = "the cat sat on the cat sat.";

describe("what goes where", () => {
  test("the answer and nothing else goes to stdout", async () => {
    const { code, stdout, stderr } = await runScripted(["generate", "hello"]);
    expect(code).toBe(0);
    expect(stdout).toBe(`${TEXT}\n`);
    expect(stderr).toContain("28 tokens (end)");
    expect(stderr).toContain("identical");
  });

  test("--quiet leaves stderr empty, --report fills it", async () => {
    expect((await runScripted(["generate", "-q", "hello"])).stderr).toBe("");
    const { stderr } = await runScripted(["generate", "--report", "hello"]);
    expect(stderr).toContain("by prompt-lookup:");
    expect(stderr).toContain("time       prefill");
  });

  test("G1: --json prints one object with text, tokens, report, guarantee, model, device and dtype", async () => {
    const { stdout } = await runScripted(["generate", "--json", "hello"]);
    expect(stdout.endsWith("}\n")).toBe(true);
    const value = JSON.parse(stdout);
    expect(value).toMatchObject({
      text: TEXT,
      finish: "end",
      model: "scripted",
      device: "scripted",
      dtype: "fp32",
      guarantee: { level: "identical" },
    });
    expect(value.tokens).toHaveLength(28);
    expect(value.report.targetPasses).toBeLessThan(27);
  });

  test("--log-probabilities adds an entry for each token", async () => {
    const { stdout } = await runScripted([
      "generate",
      "--json",
      "--log-probabilities",
      "2",
      "-n",
      "3",
      "hello",
    ]);
    const { logProbabilities, tokens } = JSON.parse(stdout);
    expect(logProbabilities.map(({ token }: { token: number }) => token)).toEqual(tokens);
    expect(logProbabilities[0].top).toHaveLength(2);
  });
});

describe("the prompt", () => {
  const promptOf = async (argv: readonly string[], stdin?: string | Uint8Array) =>
    (await runScripted(["generate", ...argv, "--json", "-n", "1"], { stdin })).stdout;

  test("words are joined; behind -- a prompt may begin with a dash", async () => {
    expect((await runScripted(["generate", "hello", "world"])).code).toBe(0);
    expect((await runScripted(["generate", "--", "-5 + 3"])).code).toBe(0);
    const { code, stderr } = await runScripted(["generate", "-5 + 3"]);
    expect(code).toBe(2);
    expect(stderr).toContain("a prompt that begins with - goes behind --");
  });

  test.each([
    ["UTF-8", Buffer.from("ab\ncd")],
    ["UTF-8 with a mark", Buffer.from("\ufeffab\ncd")],
    ["CRLF and a final line end", Buffer.from("ab\r\ncd\r\n")],
    ["UTF-16LE with a mark", Buffer.from("\ufeffab\ncd", "utf16le")],
    ["UTF-16BE with a mark", Buffer.from("\ufeffab\ncd", "utf16le").swap16()],
  ])("G1: stdin as %s is the same prompt", async (_, bytes) => {
    const plain = JSON.parse(await promptOf([], "ab\ncd"));
    const { usage } = JSON.parse(await promptOf([], bytes));
    expect(usage.promptTokens).toBe(plain.usage.promptTokens);
    expect(usage.promptTokens).toBe("[user:ab\ncd]\n>".length);
  });

  test.each([
    ["empty", ""],
    ["blank", " \r\n\n"],
  ])("G1: %s stdin is an error of its own", async (_, stdin) => {
    const { code, stdout, stderr } = await runScripted(["generate"], { stdin });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("EMPTY_PROMPT The prompt from stdin is empty.");
  });

  test("bytes that are no text are refused", async () => {
    const { code, stderr } = await runScripted(["generate"], { stdin: Uint8Array.of(0x61, 0xff, 0x62) });
    expect(code).toBe(2);
    expect(stderr).toContain("UTF-8");
  });

  test("without a prompt a terminal gets a sentence, not a program that waits", async () => {
    const { code, stderr } = await runScripted(["generate"]);
    expect(code).toBe(2);
    expect(stderr).toContain("There is no prompt.");
  });

  test("--system and --raw decide what the model is fed", async () => {
    const { usage } = JSON.parse(await promptOf(["--system", "be brief", "ab"]));
    expect(usage.promptTokens).toBe("[system:be brief][user:ab]\n>".length);
    const raw = JSON.parse(await promptOf(["--raw", "ab>"]));
    expect(raw.usage.promptTokens).toBe(3);
    expect(raw.text).toBe("t");
  });
});

describe("the decoder", () => {
  const reportOf = async (...flags: string[]) =>
    JSON.parse((await runScripted(["generate", "--json", ...flags, "hi"])).stdout).report;

  test("a name, JSON, merged names and a file all choose one", async () => {
    expect((await reportOf("--decoder", "plain")).decoder).toBe("plain");
    expect((await reportOf("--decoder", "prompt-lookup")).decoder).toBe("speculative(prompt-lookup)");
    expect((await reportOf("-d", '{"use":"prompt-lookup","maxNgram":3}')).decoder).toBe(
      "speculative(prompt-lookup)",
    );
    const path = join(tmpdir(), `foretoken-decoder-${process.pid}.json`);
    await writeFile(path, '{ "use": "plain" }\n');
    expect((await reportOf("--decoder-file", path)).decoder).toBe("plain");
  });

  test.each([
    ["an unknown name", ["--decoder", "prompt-lokup"], "UNKNOWN_PART", "prompt-lookup"],
    ["broken JSON", ["--decoder", '{"use":'], "INVALID_OPTION", '{"use":'],
    ["an unknown option", ["--decoder", '{"use":"prompt-lookup","ngram":3}'], "INVALID_OPTION", "ngram"],
    ["a missing file", ["--decoder-file", "/no/such.json"], "INVALID_OPTION", "/no/such.json"],
    ["two at once", ["--decoder", "plain", "--decoder-file", "x"], "INVALID_OPTION", "both"],
  ])("%s is refused with code, value and fix", async (_, flags, code, named) => {
    const run = await runScripted(["generate", "--json", ...flags, "hi"]);
    expect(run.code).toBe(2);
    const { error } = JSON.parse(run.stdout);
    expect(error.code).toBe(code);
    expect(error.message + error.fix).toContain(named);
    expect(error.fix).not.toBe("");
  });
});

describe("sampling", () => {
  test("every flag reaches the law", async () => {
    const flags =
      "--temperature 0.8 --top-k 5 --top-p 0.9 --min-p 0.01 --repetition-penalty 1.1 --presence-penalty 0.1";
    const more = "--frequency-penalty 0.1 --penalize-prompt --seed 7 --max-tokens 5";
    const { stdout } = await runScripted([
      "generate",
      "--json",
      ...flags.split(" "),
      ...more.split(" "),
      "hi",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ seed: 7, usage: { completionTokens: 5 } });
  });

  test("a ban and a bias change the text", async () => {
    const t = "t".charCodeAt(0);
    const banned = await runScripted(["generate", "-q", "-n", "1", "--ban", String(t), "hi"]);
    expect(banned.stdout).not.toContain("t");
    const biased = await runScripted(["generate", "-q", "-n", "1", "--bias", "122=100", "hi"]);
    expect(biased.stdout).toBe("z\n");
  });

  test("--stop ends the answer before the text", async () => {
    const { stdout, stderr } = await runScripted(["generate", "--stop", " sat", "--stop", "zzz", "hi"]);
    expect(stdout).toBe("the cat\n");
    expect(stderr).toContain("(stop)");
  });

  test.each([
    [["--temperature", "warm"], "must be a number"],
    [["--temperature", "-1"], "temperature"],
    [["--top-p", "NaN"], "must be a number"],
    [["--max-tokens", "1.5"], "whole number"],
    [["--bias", "12"], "198=-2.5"],
    [["--dtype", "q3"], "stored, fp32, fp16, q8, q4"],
    [["--tempreature", "1"], "--temperature"],
  ])("%j is a usage error that says what is right", async (flags, hint) => {
    const { code, stdout, stderr } = await runScripted(["generate", ...flags, "hi"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(hint);
  });
});

describe("ends", () => {
  test("G1: a usage error is one JSON object where JSON was asked for", async () => {
    const { code, stdout, stderr } = await runScripted(["generate", "--json", "--no-such-flag", "hi"]);
    expect([code, stderr]).toEqual([2, ""]);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("--no-such-flag"),
    });
  });

  test("E1: Ctrl-C ends the answer, prints what was made, and gives back the model", async () => {
    const run = await runScripted(["generate", "-d", "plain", "hi"], {
      onOutput: (text, interruption) => text === "the cat" && interruption.interrupt(),
    });
    expect(run.code).toBe(130);
    expect(run.stdout).toMatch(/^the cat.{0,2}\n$/);
    expect(run.stderr).toContain("(aborted)");
    expect(() => run.model.createSession()).toThrow();
  });

  test("G1: a closed stdout stops the generation and ends quietly", async () => {
    const run = await runScripted(["generate", "-d", "plain", "hi"], {
      onOutput: (text, interruption) => text === "the cat" && interruption.close(),
    });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(run.stdout.length).toBeLessThan(12);
  });

  test("a prompt beyond the context is an error that is not the command line's", async () => {
    const { code, stderr } = await runScripted(["generate", "x".repeat(600)]);
    expect(code).toBe(1);
    expect(stderr).toContain("PROMPT_TOO_LONG");
  });
});
