import { readdirSync, readFileSync } from "node:fs";
import { hasCode } from "@foretoken/core";
import { describe, expect, test, vi } from "vitest";
import { shared } from "../../../../test/shared.ts";
import {
  GgufBytes,
  type GgufParts,
  tinyMetadata,
  tinyTensors,
  type WrittenTensor,
  writeGguf,
} from "./__fixtures__/write-gguf.ts";
import { type ByteSource, blobSource, bytesSource, fileSource } from "./byte-source.ts";
import { readFloats } from "./dequantize.ts";
import type { ModelWeights, WeightRole } from "./model-weights.ts";
import { openGguf } from "./open-gguf.ts";

const open = (parts: GgufParts) => openGguf(bytesSource(writeGguf(parts), "tiny.gguf"));
const tiny = (more: GgufParts["metadata"] = {}): GgufParts => ({
  metadata: { ...tinyMetadata(), ...more },
  tensors: tinyTensors(),
});

/** The error that `work` rejects with; fails the test when it does not. */
async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable("it should have been refused"),
    (error: unknown) => error,
  );
}

async function expectRefusal(
  work: Promise<unknown>,
  code: string,
  ...words: (string | RegExp)[]
): Promise<void> {
  const error = await errorOf(work);
  if (!hasCode(error)) throw error;
  expect(error.code).toBe(code);
  for (const word of words) expect(error.message).toMatch(word);
  expect(error.fix).not.toBe("");
}

describe("broken files", () => {
  const codes: Record<string, string> = {
    "empty.gguf": "NOT_A_MODEL",
    "wrong-magic.gguf": "NOT_A_MODEL",
    "git-lfs-pointer.gguf": "NOT_A_MODEL",
    "html-page.gguf": "NOT_A_MODEL",
    "version-1.gguf": "UNSUPPORTED_MODEL",
    "version-99.gguf": "UNSUPPORTED_MODEL",
    "big-endian.gguf": "UNSUPPORTED_MODEL",
    "unknown-architecture.gguf": "UNSUPPORTED_MODEL",
    "unknown-tensor-type.gguf": "UNSUPPORTED_MODEL",
    "removed-tensor-type.gguf": "UNSUPPORTED_MODEL",
  };
  const files = readdirSync(shared("fixtures/broken")).filter((file) => file.endsWith(".gguf"));
  const broken = files.filter((file) => file !== "sound.gguf");

  test("are all there, with the sound one", () => expect(broken).toHaveLength(29));

  test.each(broken)("D5: %s is refused with a code in under a second", async (file) => {
    const started = performance.now();
    const work = fileSource(shared(`fixtures/broken/${file}`)).then(openGguf);
    await expectRefusal(work, codes[file] ?? "CORRUPT_MODEL", file);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test("the sound one loads", async () => {
    const weights = await openGguf(await fileSource(shared("fixtures/broken/sound.gguf")));
    expect(weights.config).toMatchObject({ layers: 1, width: 16, heads: 2, keyValueHeads: 1, headSize: 8 });
    await weights.dispose();
  });

  test("a pointer and a web page get their own sentence and fix", async () => {
    const pointer = await errorOf(fileSource(shared("fixtures/broken/git-lfs-pointer.gguf")).then(openGguf));
    expect(pointer).toMatchObject({ message: /Git LFS pointer/, fix: /git lfs pull/ });
    const page = await errorOf(fileSource(shared("fixtures/broken/html-page.gguf")).then(openGguf));
    expect(page).toMatchObject({ message: /web page/, fix: /download/i });
  });

  test("a path in a browser is refused in favour of a blob", async () => {
    vi.stubGlobal("process", undefined);
    const error = await errorOf(fileSource("model.gguf"));
    vi.unstubAllGlobals();
    expect(error).toMatchObject({ code: "UNSUPPORTED", message: /model\.gguf/, fix: /Blob/ });
  });

  test("a missing file and a folder are no models either", async () => {
    await expectRefusal(fileSource(shared("fixtures/none.gguf")), "MODEL_NOT_FOUND", /none\.gguf/);
    await expectRefusal(fileSource(shared("fixtures")), "MODEL_NOT_FOUND", /not a regular file/);
  });
});

describe("D5: legal but unusual files", () => {
  const sums = async (weights: ModelWeights): Promise<number[]> => {
    const roles: WeightRole[] = ["embedding", "layers.0.query", "layers.0.down", "finalNorm"];
    const values = await Promise.all(roles.map((role) => readFloats(weights.tensor(role)!)));
    return values.map((floats) => floats.reduce((sum, value) => sum + value, 0));
  };
  const expected = tinyTensors()
    .filter(({ name }) => /token_embd|attn_q\.|ffn_down|output_norm/.test(name))
    .map(({ bytes }) => new Float32Array(bytes.buffer).reduce((sum, value) => sum + value, 0));

  test.each([8, 16, 64, 4096])("alignment %i", async (alignment) => {
    const declared = { "general.alignment": { type: "u32", value: alignment } } as const;
    expect(await sums(await open({ ...tiny(declared), alignment }))).toEqual(expected);
  });

  test("alignment declared in 64 bits", async () => {
    const declared = { "general.alignment": { type: "u64", value: 64 } } as const;
    expect(await sums(await open({ ...tiny(declared), alignment: 64 }))).toEqual(expected);
  });

  test("gaps, data in another order than the table, version 2", async () => {
    const dataOrder = tinyTensors()
      .map((_, i) => i)
      .reverse();
    expect(await sums(await open({ ...tiny(), gap: 3, dataOrder, version: 2 }))).toEqual(expected);
  });

  test("a header of 20 MB, and one that is cut where a piece ends", async () => {
    const tokens = Array.from({ length: 12 }, (_, i) => `t${i}`);
    for (const length of [20_000_000, (1 << 20) - 37]) {
      const padding = { "general.description": { type: "string", value: "x".repeat(length) } } as const;
      const weights = await open(tiny(padding));
      expect(await sums(weights)).toEqual(expected);
      expect(weights.metadata.get("tokenizer.ggml.tokens")).toEqual(tokens);
    }
  });

  test("strings keep a leading byte order mark and letters beyond ASCII", async () => {
    const value = [
      "\uFEFF",
      "Ġé",
      "日本語",
      "a".repeat(100),
      "",
      ...Array.from({ length: 7 }, (_, i) => `${i}`),
    ];
    const weights = await open(tiny({ "tokenizer.ggml.tokens": { type: "strings", value } }));
    expect(weights.metadata.get("tokenizer.ggml.tokens")).toEqual(value);
  });

  test("a blob gives what the bytes give", async () => {
    const bytes = writeGguf(tiny());
    const fromBlob = await openGguf(blobSource(new Blob([bytes as BlobPart]), "picked.gguf"));
    expect(await sums(fromBlob)).toEqual(expected);
    expect(fromBlob.contentHash).toBe((await openGguf(bytesSource(bytes))).contentHash);
  });
});

describe("D5: hostile files", () => {
  const header = (tensors: number | bigint, keys: number | bigint) =>
    new GgufBytes().raw(new TextEncoder().encode("GGUF")).u32(3).u64(tensors).u64(keys);
  const refused = (bytes: Uint8Array, ...words: (string | RegExp)[]) =>
    expectRefusal(openGguf(bytesSource(bytes, "evil.gguf")), "CORRUPT_MODEL", /evil\.gguf/, ...words);

  test("alignment 0 and 3", async () => {
    for (const value of [0, 3]) {
      const work = open(tiny({ "general.alignment": { type: "u32", value } }));
      await expectRefusal(work, "CORRUPT_MODEL", /general\.alignment/, new RegExp(`is ${value},`));
    }
  });

  test("counts and lengths that the file cannot hold", async () => {
    await refused(header(2 ** 40, 0).bytes(), /1099511627776 tensors/);
    await refused(header(0, 2n ** 63n).bytes(), /metadata keys/);
    await refused(
      header(0, 1)
        .u64(2n ** 63n)
        .raw(new Uint8Array(64))
        .bytes(),
      /string/,
    );
    await refused(
      header(0, 1)
        .string("k")
        .u32(9)
        .u32(4)
        .u64(2n ** 60n)
        .raw(new Uint8Array(64))
        .bytes(),
      /entries in "k"/,
    );
  });

  test("arrays nested 50 deep", async () => {
    const file = header(0, 1).string("k").u32(9);
    for (let depth = 0; depth < 50; depth++) file.u32(9).u64(1);
    await refused(file.u32(0).u64(1).raw(new Uint8Array(64)).bytes(), /nested/);
  });

  test.each([0, 9])("%i dimensions", async (dimensions) => {
    const file = header(1, 0).string("t").u32(dimensions);
    await refused(file.raw(new Uint8Array(256)).bytes(), new RegExp(`${dimensions} dimensions`));
  });

  test("a row that is no multiple of the block", async () => {
    const file = header(1, 0).string("t").u32(1).u64(33).u32(2).u64(0).raw(new Uint8Array(256));
    await refused(file.bytes(), /33 values, no multiple of Q4_0's 32/);
  });

  test("shapes whose product overflows", async () => {
    const file = header(1, 0).string("t").u32(4);
    for (let i = 0; i < 4; i++) file.u64(2n ** 62n);
    await refused(file.u32(0).u64(0).raw(new Uint8Array(256)).bytes(), /impossible shape/);
  });

  test("tensors with one name, and tensors that overlap", async () => {
    const twins = tinyTensors();
    await expectRefusal(open({ ...tiny(), tensors: [...twins, twins[1]] }), "CORRUPT_MODEL", /called/);
    const rows = header(2, 0).string("a").u32(1).u64(16).u32(0).u64(0);
    rows.string("b").u32(1).u64(16).u32(0).u64(32);
    await refused(rows.raw(new Uint8Array(256)).bytes(), /"a" and "b" overlap/);
  });

  test("the file cut anywhere", async () => {
    const bytes = writeGguf(tiny());
    for (let cut = 0; cut < bytes.length; cut += Math.ceil(bytes.length / 200)) {
      const code = cut < 4 ? "NOT_A_MODEL" : "CORRUPT_MODEL";
      await expectRefusal(openGguf(bytesSource(bytes.slice(0, cut), "cut.gguf")), code);
    }
    await expectRefusal(openGguf(bytesSource(bytes.slice(0, 3), "cut.gguf")), "NOT_A_MODEL");
  });

  test("any byte of the header changed gives a model or a code, never another error", async () => {
    const bytes = writeGguf(tiny());
    const end = bytes.length - tinyTensors().reduce((sum, tensor) => sum + tensor.bytes.length, 0);
    for (let i = 0; i < end; i += 3) {
      const changed = bytes.slice();
      changed[i] ^= 0xff;
      const error = await openGguf(bytesSource(changed)).catch((reason: unknown) => reason);
      if (error instanceof Error && !hasCode(error)) throw error;
    }
  });

  test("the source is closed when the file is refused", async () => {
    let isClosed = false;
    const source: ByteSource = {
      ...bytesSource(new Uint8Array(0)),
      async dispose() {
        isClosed = true;
      },
    };
    await errorOf(openGguf(source));
    expect(isClosed).toBe(true);
  });
});

describe("D2: stated keys before quotients", () => {
  const headSize16: GgufParts = {
    metadata: {
      ...tinyMetadata(),
      "llama.attention.key_length": { type: "u32", value: 16 },
      "llama.attention.value_length": { type: "u32", value: 16 },
      "llama.rope.dimension_count": { type: "u32", value: 16 },
    },
    tensors: tinyTensors({ headSize: 16 }),
  };

  test("the head size is the stated key length, else width by heads", async () => {
    expect((await open(headSize16)).config.headSize).toBe(16);
    expect((await open(tiny())).config.headSize).toBe(8);
  });

  test.each([
    ["attention.value_length", { type: "u32", value: 4 }, "4"],
    ["rope.dimension_count", { type: "u32", value: 4 }, "4"],
    ["attention.head_count", { type: "u32s", value: [2, 4] }, /\[2, 4\]/],
    ["attention.sliding_window", { type: "u32", value: 16 }, "16"],
    ["rope.scaling.type", { type: "string", value: "yarn" }, /"yarn"/],
    ["rope.scaling.factor", { type: "f32", value: 4 }, "4"],
    ["expert_count", { type: "u32", value: 8 }, "8"],
    ["attention.causal", { type: "bool", value: false }, "false"],
  ] as const)("%s is refused by key and value before a weight is read", async (key, value, text) => {
    await expectRefusal(open(tiny({ [`llama.${key}`]: value })), "UNSUPPORTED_MODEL", `llama.${key}`, text);
  });

  test("values that change nothing pass", async () => {
    const weights = await open(
      tiny({
        "llama.attention.head_count_kv": { type: "u32s", value: [1, 1] },
        "llama.attention.sliding_window": { type: "u32", value: 32 },
        "llama.rope.scaling.type": { type: "string", value: "none" },
        "llama.expert_count": { type: "u32", value: 0 },
      }),
    );
    expect(weights.config.keyValueHeads).toBe(1);
  });

  test.each([
    ["attention.head_count", 0],
    ["block_count", 2 ** 31],
    ["context_length", 2 ** 31],
    ["attention.head_count_kv", 3],
  ])("%s = %i is impossible", async (key, value) => {
    const work = open(tiny({ [`llama.${key}`]: { type: "u32", value } }));
    await expectRefusal(work, "CORRUPT_MODEL", String(value));
  });
});

describe("D4: more rows than tokens", () => {
  const withSizes = (tokens: number, rows: number) =>
    open({ metadata: tinyMetadata(tokens), tensors: tinyTensors({ rows }) });

  test("the vocabulary is what the tokenizer knows, the embedding may have more rows", async () => {
    expect((await withSizes(100, 128)).config).toMatchObject({ vocabularySize: 100, embeddingRows: 128 });
  });

  test("more tokens than rows is an error with both numbers", async () => {
    await expectRefusal(withSizes(130, 128), "CORRUPT_MODEL", /130 tokens/, /128 rows/);
  });
});

describe("D1: rows of query and key", () => {
  const column = async (weights: ModelWeights, role: WeightRole): Promise<number[]> => {
    const floats = await readFloats(weights.tensor(role)!);
    const { shape } = weights.tensor(role)!;
    const inputs = shape[1] ?? 1;
    return Array.from({ length: shape[0] }, (_, row) => floats[row * inputs] / inputs);
  };
  /** Tensors whose row `r` begins with `r · inputs`. */
  const counting = (): WrittenTensor[] =>
    tinyTensors().map((tensor) => {
      const values = new Float32Array(tensor.bytes.buffer.slice(0));
      return { ...tensor, bytes: new Uint8Array(values.map((_, i) => i).buffer) };
    });
  const biases: WrittenTensor[] = [
    ["q", 16],
    ["k", 8],
    ["v", 8],
  ].map(([which, length]) => ({
    name: `blk.0.attn_${which}.bias`,
    shape: [Number(length)],
    type: "F32",
    bytes: new Uint8Array(Float32Array.from({ length: Number(length) }, (_, i) => i).buffer),
  }));
  const inHalves = [0, 2, 4, 6, 1, 3, 5, 7];

  test("come in half-split order from a llama file, biases too, values untouched", async () => {
    const weights = await open({ ...tiny(), tensors: [...counting(), ...biases] });
    expect(await column(weights, "layers.0.query")).toEqual([...inHalves, ...inHalves.map((row) => row + 8)]);
    expect(await column(weights, "layers.0.key")).toEqual(inHalves);
    expect(await column(weights, "layers.0.keyBias")).toEqual(inHalves);
    expect(await column(weights, "layers.0.value")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("stay as they are in a qwen2 file", async () => {
    const metadata = Object.fromEntries(
      Object.entries(tinyMetadata()).map(([key, value]) => [key.replace(/^llama/, "qwen2"), value]),
    );
    const weights = await open({
      metadata: { ...metadata, "general.architecture": { type: "string", value: "qwen2" } },
      tensors: [...counting(), ...biases],
    });
    expect(await column(weights, "layers.0.key")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await column(weights, "layers.0.keyBias")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("tensors", () => {
  test("one that is missing, misshapen or left over is named", async () => {
    const without = tinyTensors().filter(({ name }) => name !== "blk.0.ffn_up.weight");
    await expectRefusal(open({ ...tiny(), tensors: without }), "CORRUPT_MODEL", /blk\.0\.ffn_up\.weight/);
    const misshapen = tinyTensors({ headSize: 6 });
    await expectRefusal(open({ ...tiny(), tensors: misshapen }), "CORRUPT_MODEL", /\[12, 16\].*\[16, 16\]/);
    const extra: WrittenTensor = { ...tinyTensors()[1], name: "blk.0.attn_output.bias" };
    const work = open({ ...tiny(), tensors: [...tinyTensors(), extra] });
    await expectRefusal(work, "UNSUPPORTED_MODEL", /blk\.0\.attn_output\.bias/);
  });

  test("cannot be read after dispose", async () => {
    const weights = await open(tiny());
    const tensor = weights.tensor("embedding")!;
    await weights.dispose();
    await weights.dispose();
    await expectRefusal(tensor.read(), "DISPOSED", /token_embd/);
  });
});

test("every shared model opens with its sizes", async () => {
  for (const file of readdirSync(shared("fixtures/gguf"))) {
    const weights = await openGguf(await fileSource(shared(`fixtures/gguf/${file}`)));
    const { config } = weights;
    expect(config).toMatchObject({ layers: 2, vocabularySize: 512, embeddingRows: 512, contextLength: 512 });
    expect(config.normEpsilon).toBeCloseTo(1e-5, 9);
    expect(weights.tensor("head") !== undefined).toBe(/untied|mistral/.test(file));
    expect(weights.tensor("ropeFactors") !== undefined).toBe(/untied/.test(file));
    expect(weights.tensor("layers.1.queryBias") !== undefined).toBe(/qwen2/.test(file));
    expect(weights.tensor("layers.1.keyNorm") !== undefined).toBe(/qwen3/.test(file));
    await weights.dispose();
  }
  const qwen3 = await openGguf(bytesSource(readFileSync(shared("fixtures/gguf/qwen3-F16.gguf"))));
  expect(qwen3.config).toMatchObject({
    width: 64,
    heads: 6,
    keyValueHeads: 2,
    headSize: 128,
    ropeTheta: 1e6,
  });
});
