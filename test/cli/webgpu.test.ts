import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { shared } from "../shared.ts";
import { buildCli } from "./build-cli.ts";
import { runProcess } from "./run-process.ts";

/** The Vulkan driver that comes with Debian's Chromium: it computes in software. */
const SOFTWARE_DRIVER = {
  VK_DRIVER_FILES: "/usr/lib/chromium/vk_swiftshader_icd.json",
  LD_LIBRARY_PATH: "/usr/lib/chromium",
};

test("WebGPU in Node gives cpu's tokens, also when the decoder has the graph rebuilt", async () => {
  const cli = await buildCli("webgpu-test");
  const env = {
    FORETOKEN_CACHE: await mkdtemp(join(tmpdir(), "foretoken-webgpu-test-")),
    FORETOKEN_OFFLINE: "1",
    ...SOFTWARE_DRIVER,
  };
  const tokensOn = async (device: string) => {
    const model = ["-m", shared("fixtures/gguf/llama-small-F16.gguf"), "--dtype", "fp32", "--device", device];
    // It asks for top-k, so the first graph is released while its cache is in use.
    const decoder = ["-d", "token-recycling", "-n", "24", "--ignore-end", "--json"];
    const { code, stdout } = await runProcess(cli.script, ["generate", ...model, ...decoder, "hello"], {
      env,
    });
    expect(code).toBe(0);
    return JSON.parse(stdout).tokens;
  };
  expect(await tokensOn("webgpu")).toEqual(await tokensOn("cpu"));
}, 180_000);
