import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { DecodingError, type TokenId } from "@foretoken/core";
import type { InstalledPeer } from "./install-peer.ts";

/** What a runner answers to a prompt. */
export interface PeerAnswer {
  readonly tokens: readonly TokenId[];
  readonly timeToFirstTokenMs: number;
  /** Between the first and the last token. */
  readonly decodeMs: number;
}

/** What a runner is asked. */
export interface PeerRequest {
  readonly prompt: readonly TokenId[];
  readonly maxTokens: number;
  readonly endTokens: readonly TokenId[];
}

/** A peer in a process of its own, one question at a time. */
export class PeerProcess {
  readonly #name: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #errors = "";

  private constructor(name: string, { folder, runner }: InstalledPeer, config: unknown) {
    this.#name = name;
    this.#child = spawn(process.execPath, [runner, JSON.stringify(config)], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stderr.on("data", (data) => {
      this.#errors = (this.#errors + data).slice(-2000);
    });
    // A runner that died is noticed when its answer is missing.
    this.#child.stdin.on("error", () => {});
    this.#child.on("error", (error) => {
      this.#errors += error.message;
    });
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /**
   * Starts a runner and waits until its model is loaded.
   * @throws `PART_FAILED` with the end of what it wrote to stderr.
   */
  static async start(name: string, peer: InstalledPeer, config: unknown): Promise<PeerProcess> {
    const process = new PeerProcess(name, peer, config);
    await process.#read();
    return process;
  }

  /** Greedy answer to token ids. @throws `PART_FAILED` when the process ends. */
  answer(request: PeerRequest): Promise<PeerAnswer> {
    return this.#ask(request) as Promise<PeerAnswer>;
  }

  /** Token ids of a rendered chat, its control tokens read as such. @throws `PART_FAILED` when the process ends. */
  async tokenize(text: string): Promise<readonly TokenId[]> {
    return ((await this.#ask({ text })) as { tokens: TokenId[] }).tokens;
  }

  /** Ends the process and waits for it. */
  async dispose(): Promise<void> {
    this.#reader.close();
    this.#child.stdin.end();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill();
    await ended;
  }

  #ask(request: unknown): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.#read();
  }

  async #read(): Promise<unknown> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw this.#failure();
      // Native libraries write to stdout too.
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }

  #failure(): DecodingError {
    return new DecodingError("PART_FAILED", {
      message: `${this.#name} ended without an answer: ${this.#errors.trim() || "it wrote nothing to stderr."}`,
      fix: "Run without this peer, or repair its installation.",
    });
  }
}
