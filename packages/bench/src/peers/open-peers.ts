import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join, resolve } from "node:path";
import { DecodingError, type Model } from "@foretoken/core";
import type { Contestant } from "../contestant.ts";
import type { BenchPrompt } from "../prompts.ts";
import { type InstalledPeer, installPeer, type Peer } from "./install-peer.ts";
import { PeerProcess } from "./peer-process.ts";

/** Options of {@link openPeers}. */
export interface PeerOptions {
  /** Our model: its chat template makes the prompts, its end tokens end the answers. */
  readonly model: Model;
  /** The prompts of the run; on them token ids are compared. */
  readonly prompts: readonly BenchPrompt[];
  /** Where peers are installed, such as `peers` in the cache folder. */
  readonly folder: string;
  /** The same weights for node-llama-cpp; without it, it does not run. */
  readonly gguf?: string;
  /** Folders that transformers.js loads, each with an optional `:dtype` behind it. */
  readonly transformersJs?: readonly string[];
  readonly onProgress?: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

const LLAMA_VERSION = "3.22.1";
const TRANSFORMERS_VERSION = "4.3.1";

const NODE_LLAMA_CPP: Peer = {
  runner: "node-llama-cpp",
  name: "node-llama-cpp",
  version: LLAMA_VERSION,
  packages: [`node-llama-cpp@${LLAMA_VERSION}`, `@node-llama-cpp/${llamaPlatform()}@${LLAMA_VERSION}`],
  // The optional packages hold a gigabyte of GPU code; the one that is needed is named above.
  flags: ["--omit=optional"],
  env: { NODE_LLAMA_CPP_SKIP_DOWNLOAD: "true" },
};

const TRANSFORMERS_JS: Peer = {
  runner: "transformers-js",
  name: "transformers.js",
  version: TRANSFORMERS_VERSION,
  packages: [`@huggingface/transformers@${TRANSFORMERS_VERSION}`],
  env: { ONNXRUNTIME_NODE_INSTALL: "skip" },
};

/** Tokens of an answer that decides how many threads node-llama-cpp gets. */
const TRIAL_TOKENS = 48;

/**
 * Installs and starts peers on the same prompts: node-llama-cpp plain at the thread count that is fastest here and with
 * its input-lookup predictor, and transformers.js on every folder. All of them decode greedily.
 *
 * @throws `DOWNLOAD_FAILED`, `PART_FAILED`, and `INVALID_OPTION` for a folder without a model.
 */
export async function openPeers(options: PeerOptions): Promise<readonly Contestant[]> {
  const contestants: Contestant[] = [];
  try {
    if (options.gguf !== undefined) {
      const peer = await installPeer(NODE_LLAMA_CPP, options.folder, options);
      for await (const contestant of llamaContestants(peer, options.gguf, options))
        contestants.push(contestant);
    }
    for (const folder of options.transformersJs ?? []) {
      const config = transformersFolder(folder);
      const peer = await installPeer(TRANSFORMERS_JS, options.folder, options);
      const name = `transformers.js ${basename(config.folder)} ${config.dtype}`;
      const process = await PeerProcess.start(name, peer, config);
      contestants.push(
        await peerContestant(name, process, { version: TRANSFORMERS_VERSION, ...config }, options),
      );
    }
    return contestants;
  } catch (error) {
    for (const contestant of contestants) await contestant.dispose?.();
    throw error;
  }
}

async function* llamaContestants(
  peer: InstalledPeer,
  gguf: string,
  options: PeerOptions,
): AsyncGenerator<Contestant> {
  const start = (threads: number, lookup: boolean) =>
    PeerProcess.start("node-llama-cpp", peer, { gguf: resolve(gguf), threads, lookup, contextSize: 4096 });
  const threads = await fastestThreads((count) => start(count, false), options);
  options.onProgress?.(
    `node-llama-cpp is fastest with ${threads === 1 ? "1 thread" : `${threads} threads`} here.`,
  );
  const about = { version: LLAMA_VERSION, threads };
  const plain = "node-llama-cpp";
  yield await peerContestant(plain, await start(threads, false), about, options);
  const lookup = await peerContestant(`${plain} lookup`, await start(threads, true), about, options);
  yield { ...lookup, baseline: plain };
}

/** Tries one thread, half of the processors, and all of them. */
async function fastestThreads(
  start: (threads: number) => Promise<PeerProcess>,
  { model, prompts }: PeerOptions,
): Promise<number> {
  const all = availableParallelism();
  const counts = [...new Set([1, Math.ceil(all / 2), all])];
  const speeds = new Map<number, number>();
  for (const count of counts) {
    const process = await start(count);
    try {
      const request = { ...requestOf(model, prompts[0]!), maxTokens: TRIAL_TOKENS };
      await process.answer(request);
      const { tokens, decodeMs } = await process.answer(request);
      speeds.set(count, (tokens.length - 1) / decodeMs);
    } finally {
      await process.dispose();
    }
  }
  return counts.reduce((best, count) => (speeds.get(count)! > speeds.get(best)! ? count : best));
}

async function peerContestant(
  name: string,
  process: PeerProcess,
  about: Readonly<Record<string, unknown>>,
  { model, prompts, onProgress }: PeerOptions,
): Promise<Contestant> {
  let differentTokenIds = 0;
  for (const prompt of prompts) {
    const { tokens, text } = model.tokenizer!.renderChat([{ role: "user", content: prompt.text }]);
    const theirs = await process.tokenize(text);
    if (theirs.length !== tokens.length || theirs.some((id, index) => id !== tokens[index]))
      differentTokenIds++;
  }
  if (differentTokenIds > 0) {
    onProgress?.(
      `${name} gives ${differentTokenIds} of ${prompts.length} prompts other token ids; it is fed ours.`,
    );
  }
  return {
    name,
    about: { ...about, differentTokenIds },
    dispose: () => process.dispose(),
    answer: async (prompt, { maxTokens, signal }) => {
      signal?.throwIfAborted();
      const request = requestOf(model, prompt);
      const { tokens, timeToFirstTokenMs, decodeMs } = await process.answer({ ...request, maxTokens });
      return {
        tokens,
        promptTokens: request.prompt.length,
        finish: request.endTokens.includes(tokens.at(-1)!) ? "end" : "length",
        timeToFirstTokenMs,
        tokensPerSecond: tokens.length < 2 ? 0 : ((tokens.length - 1) * 1000) / decodeMs,
      };
    },
  };
}

function requestOf({ tokenizer }: Model, { text }: BenchPrompt) {
  return {
    prompt: tokenizer!.renderChat([{ role: "user", content: text }]).tokens,
    endTokens: [...tokenizer!.endTokens],
  };
}

function transformersFolder(text: string): { readonly folder: string; readonly dtype: string } {
  const [, path, chosen] = /^(.+?)(?::(\w+))?$/.exec(text)!;
  const folder = resolve(path!);
  const dtypes = { q4: "model_q4.onnx", q8: "model_quantized.onnx", fp32: "model.onnx" };
  const there = Object.entries(dtypes).filter(([, file]) => existsSync(join(folder, "onnx", file)));
  const dtype = chosen ?? there[0]?.[0];
  if (dtype !== undefined && there.some(([name]) => name === dtype)) return { folder, dtype };
  throw new DecodingError("INVALID_OPTION", {
    message: `${folder} holds no ${chosen === undefined ? "onnx/model*.onnx" : `model of dtype ${chosen}`}.`,
    fix:
      there.length > 0
        ? `It holds ${there.map(([name]) => name).join(", ")}.`
        : "Give a folder that transformers.js loads, such as one that optimum-cli exported.",
  });
}

function llamaPlatform(): string {
  const { platform, arch } = process;
  if (platform === "darwin") return arch === "arm64" ? "mac-arm64-metal" : "mac-x64";
  return `${platform === "win32" ? "win" : "linux"}-${arch}`;
}
