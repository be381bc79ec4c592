import { expect, test } from "vitest";
import { runScripted } from "./__fixtures__/run-scripted.ts";

test("help and version go to stdout and are no errors", async () => {
  const help = await runScripted(["--help"]);
  expect([help.code, help.stderr]).toEqual([0, ""]);
  for (const name of ["generate", "chat", "bench", "tune", "table", "plugins", "doctor", "demo"]) {
    expect(help.stdout).toContain(`  ${name} `);
    expect((await runScripted([name, "--help"])).code).toBe(0);
  }
  expect((await runScripted(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("no command, an unknown one, and a flag of another command are usage errors", async () => {
  for (const argv of [[], ["genrate", "hi"], ["plugins", "--seed", "1"]]) {
    const { code, stdout, stderr } = await runScripted(argv);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("foretoken --help");
  }
});

test("plugins lists built-in and shipped parts with guarantee and options, and the default decoder", async () => {
  const { stdout } = await runScripted(["plugins"]);
  expect(stdout).toMatch(/prompt-lookup +drafter +identical +.*maxNgram/);
  expect(stdout).toMatch(/rejection +verifier +distribution/);
  expect(stdout).toContain('The default decoder is {"use":"speculative"');
  const { parts } = JSON.parse((await runScripted(["plugins", "--json"])).stdout);
  expect(parts.map(({ name }: { name: string }) => name)).toContain("token-recycling");
});

test("plugins shows one part, and an unknown one is an error", async () => {
  const { stdout } = await runScripted(["plugins", "prompt-lookup"]);
  expect(stdout).toContain("maxNgram");
  expect((await runScripted(["plugins", "nonsense"])).code).toBe(2);
});

test("demo answers with the default decoder and plainly, and compares", async () => {
  const { code, stdout, stderr } = await runScripted(["demo", "hello"]);
  expect(code).toBe(0);
  expect(stdout).toBe("the cat sat on the cat sat.\n");
  expect(stderr).toMatch(/default decoder +28 +\d+/);
  expect(stderr).toMatch(/plain +28 +27 +1\.00/);
  expect(stderr).toMatch(/The same 28 tokens with \d+ % fewer passes/);
});

test("bench measures scripted decoders and keeps plain at 1", async () => {
  const argv = ["bench", "--decoder", "prompt-lookup", "--groups", "qa", "-n", "12", "--json"];
  const { code, stdout } = await runScripted(argv);
  expect(code).toBe(0);
  const { summary, measurements, mode } = JSON.parse(stdout);
  expect(mode).toBe("speed");
  expect(measurements).toHaveLength(4);
  expect(summary[0]).toMatchObject({
    contestant: "plain",
    speedUp: { ratio: 1 },
    identical: 1,
    blockEfficiency: 1,
  });
  expect(summary[1]).toMatchObject({ contestant: "prompt-lookup", identical: 1 });
});

test("bench exact finds no difference in a model without rounding", async () => {
  const { stdout } = await runScripted([
    "bench",
    "exact",
    "--decoder",
    "both=prompt-lookup",
    "--groups",
    "qa",
    "-n",
    "12",
    "--json",
  ]);
  const { results } = JSON.parse(stdout);
  expect(results).toMatchObject([{ decoder: "both", prompts: 2, identical: 1, errors: 0, partings: [] }]);
});

test("bench quality scores answers, and a decoder that changes nothing scores like plain", async () => {
  const argv = [
    "bench",
    "quality",
    "-d",
    "prompt-lookup",
    "--groups",
    "copying,json",
    "--per-group",
    "2",
    "-n",
    "12",
  ];
  const { code, stdout } = await runScripted([...argv, "--json"]);
  expect(code).toBe(0);
  const { mode, summary, measurements } = JSON.parse(stdout);
  expect(mode).toBe("quality");
  expect(measurements).toHaveLength(8);
  expect(summary.at(-1)).toMatchObject({
    decoder: "prompt-lookup",
    group: "all",
    tasks: 4,
    sameText: 1,
    difference: { value: 0, interval: [0, 0] },
  });
  expect((await runScripted(argv)).stdout).toMatch(/prompt-lookup +mean +4 +0\.0 \[0\.0, 0\.0\]/);
});

test("bench noise and context run on any model", async () => {
  const noise = JSON.parse(
    (await runScripted(["bench", "noise", "--groups", "qa", "-n", "12", "--json"])).stdout,
  );
  expect(noise).toMatchObject({ rows: 8, noise: 0, argmaxChanges: 0 });
  const { points } = JSON.parse(
    (await runScripted(["bench", "context", "--contexts", "16,32", "--json"])).stdout,
  );
  expect(points.map(({ context }: { context: number }) => context)).toEqual([16, 32]);
});

test("bench batch answers at once what it answers one by one", async () => {
  const { results } = JSON.parse(
    (await runScripted(["bench", "batch", "--groups", "qa", "-n", "12", "-d", "prompt-lookup", "--json"]))
      .stdout,
  );
  expect(results).toMatchObject([
    { decoder: "plain", prompts: 2, same: 2, sameWhenJoining: 2 },
    { decoder: "prompt-lookup", prompts: 2, same: 2, sameWhenJoining: 2 },
  ]);
});

test("tune says so when a model cannot measure its passes", async () => {
  const { code, stderr } = await runScripted(["tune"]);
  expect(code).toBe(1);
  expect(stderr).toContain("UNSUPPORTED");
});
