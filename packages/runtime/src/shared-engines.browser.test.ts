import { tinyGguf } from "@foretoken/testing";
import { expect, test } from "vitest";
import { loadRuntime } from "./load-runtime.ts";
import { bytesSource } from "./weights/byte-source.ts";
import { openGguf } from "./weights/open-gguf.ts";

test("a model goes on, and can be rebuilt, when the one it shares its weights with is gone", async () => {
  const load = async () =>
    loadRuntime(await openGguf(bytesSource(tinyGguf(3))), { device: "webgpu", dtype: "fp32" });
  const first = await load();
  const second = await load();
  await first.dispose();
  await second.prepare({ hidden: [1] });
  const session = second.createSession();
  const pass = await session.forward([{ token: 5 }], { hidden: [1] });
  expect((await pass.hidden(1).read()).length).toBe(second.width);
  await second.dispose();
}, 180_000);
