import { beforeAll, expect, test } from "vitest";
import { buildCli } from "../cli/build-cli.ts";
import { runProcess } from "../cli/run-process.ts";

let script: string;

beforeAll(async () => {
  ({ script } = await buildCli("real-cli-test"));
});

test("demo answers with the real model and measures plain beside it", { timeout: 180_000 }, async () => {
  const { code, stdout, stderr } = await runProcess(script, ["demo", "-n", "48"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/[a-z]{3,}/);
  expect(stderr).toMatch(/default decoder +48 +\d+ +\d\.\d\d +\d+/);
  expect(stderr).toMatch(/plain +48 +47 +1\.00 +\d+/);
  expect(stderr).toMatch(/times the speed of plain/);
});

test("in fp32 the default decoder gives plain's tokens", { timeout: 180_000 }, async () => {
  const argv = [
    "generate",
    "--json",
    "--dtype",
    "fp32",
    "-n",
    "40",
    "Repeat three times: the rain in Spain stays mainly",
  ];
  const drafted = JSON.parse((await runProcess(script, argv)).stdout);
  const plain = JSON.parse(
    (await runProcess(script, [...argv.slice(0, -1), "-d", "plain", argv.at(-1)!])).stdout,
  );
  expect(drafted.tokens).toEqual(plain.tokens);
  expect(drafted.report.targetPasses).toBeLessThan(plain.report.targetPasses);
});
