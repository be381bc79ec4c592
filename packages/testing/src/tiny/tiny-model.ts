import type { RuntimeModel, RuntimeOptions } from "@foretoken/runtime";
import { type TinySizes, tinyGguf } from "./tiny-gguf.ts";

/**
 * A small model with random weights, read, written and run by the real runtime: GGUF reader, graph writer, ONNX Runtime,
 * tokenizer. For tests in Node and in browsers; loads in a fraction of a second.
 *
 * @param seed - The same seed gives the same weights.
 * @param options - Sizes, and what `loadRuntime` takes; `dtype` defaults to `fp32`, `threads` to 1.
 * @returns The caller disposes it.
 */
export async function tinyModel(
  seed: number,
  {
    layers,
    width,
    heads,
    keyValueHeads,
    feedForwardWidth,
    contextLength,
    ...options
  }: TinySizes & RuntimeOptions = {},
): Promise<RuntimeModel> {
  // Imported when used: the scripted models and the suites work without the runtime.
  const { bytesSource, loadRuntime, openGguf, tokenizerFromGguf } = await import("@foretoken/runtime");
  const id = `tiny-${seed}`;
  const bytes = tinyGguf(seed, { layers, width, heads, keyValueHeads, feedForwardWidth, contextLength });
  const weights = await openGguf(bytesSource(bytes, `${id}.gguf`));
  const tokenizer = tokenizerFromGguf(weights.metadata);
  return loadRuntime(weights, { id, tokenizer, dtype: "fp32", threads: 1, ...options });
}
