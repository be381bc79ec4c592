import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runScripted } from "./__fixtures__/run-scripted.ts";
import { loadDeltas } from "./load-deltas.ts";

const deltas = fileURLToPath(
  new URL("../../../plugins/skip-decode/src/__fixtures__/deltas.safetensors", import.meta.url),
);

test("a file of deltas is read, and called by its name", async () => {
  const { id, roles } = await loadDeltas(deltas);
  expect(id).toBe("deltas.safetensors");
  expect(roles).toContain("layers.5.attentionOutput");
});

test("a command runs with deltas, and fails where there are none", async () => {
  expect((await runScripted(["generate", "--deltas", deltas, "-n", "3", "hello"])).code).toBe(0);
  for (const [path, reason] of [
    ["/nowhere/at-all", "cannot be read"],
    [fileURLToPath(import.meta.url), "no safetensors file"],
  ] as const) {
    const { code, stdout, stderr } = await runScripted(["generate", "--deltas", path, "hello"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(reason);
  }
});
