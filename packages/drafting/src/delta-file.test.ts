import { describe, expect, test } from "vitest";
import { readDeltas } from "./delta-file.ts";

const BASE = "ab".repeat(32);
type Entry = { dtype: string; shape: number[]; values: number[] };

/** A safetensors file of 32-bit values; its header is padded by `padding` spaces. */
function file(entries: Record<string, Entry>, metadata: object | undefined = { base: BASE }, padding = 0) {
  let at = 0;
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  for (const [name, { dtype, shape, values }] of Object.entries(entries)) {
    header[name] = { dtype, shape, data_offsets: [at, at + 4 * values.length] };
    at += 4 * values.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header) + " ".repeat(padding));
  const bytes = new Uint8Array(8 + text.length + at);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let place = 8 + text.length;
  for (const { values } of Object.values(entries)) {
    for (const value of values) {
      view.setFloat32(place, value, true);
      place += 4;
    }
  }
  return bytes;
}

const up: Entry = { dtype: "F32", shape: [3, 2], values: [1, 2, 3, 4, 5, 6] };
const down: Entry = { dtype: "F32", shape: [2, 1], values: [0.5, -0.25] };

describe("a file of deltas", () => {
  test.each([0, 1, 2, 3])("is read wherever its tensors lie: %d", async (padding) => {
    const bytes = file({ "layers.0.up.up": up, "layers.0.up.down": down }, { base: BASE }, padding);
    const deltas = await readDeltas(bytes, "tuned");
    expect(deltas).toMatchObject({ id: "tuned", base: BASE, roles: ["layers.0.up"] });
    expect(deltas.contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(deltas.delta("layers.0.up")).toEqual({
      up: Float32Array.from(up.values),
      down: Float32Array.from(down.values),
      rank: 2,
    });
    expect(deltas.delta("layers.0.query")).toBeUndefined();
  });

  test.each<[string, Record<string, Entry>, object | undefined]>([
    ["names no weights", { "a.up": up, "a.down": down }, {}],
    ["up F32 [3,2] and down absent", { "a.up": up }, { base: BASE }],
    ["belongs to no pair", { "a.up": up, "a.down": down, "b.down": down }, { base: BASE }],
    ["down F32 [1,2]", { "a.up": up, "a.down": { ...down, shape: [1, 2] } }, { base: BASE }],
    ["up I32 [3,2]", { "a.up": { ...up, dtype: "I32" }, "a.down": down }, { base: BASE }],
  ])("is refused: %s", async (reason, entries, metadata) => {
    await expect(readDeltas(file(entries, metadata), "tuned")).rejects.toMatchObject({
      code: "CORRUPT_MODEL",
      message: expect.stringContaining(reason),
    });
  });

  test("that is cut off is none", async () => {
    const bytes = file({ "a.up": up, "a.down": down }).slice(0, 60);
    await expect(readDeltas(bytes, "tuned")).rejects.toMatchObject({ code: "CORRUPT_MODEL" });
  });
});
