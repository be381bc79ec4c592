import { type Decoder, DecodingError, type Model, type Session } from "@foretoken/core";

/** What one conversation keeps between its answers. */
interface Chat {
  readonly session: Session;
  /** The decoder in use: drafters remember as long as it stays the same object. */
  decoder: { readonly key: string; readonly built: Decoder } | undefined;
  /** Settles when the answers asked for so far are done. */
  tail: Promise<unknown>;
  waiting: number;
}

/** How an answer gets its turn, and its decoder. */
export interface TurnOptions {
  readonly key: string;
  readonly build: () => Promise<Decoder>;
  readonly signal: AbortSignal | undefined;
}

/** The sessions of conversations by name. Those that rest longest give way. */
export class ChatSessions {
  readonly #model: Model;
  readonly #most: number;
  /** Least recently used first. */
  readonly #chats = new Map<string, Chat>();

  constructor(model: Model, most: number) {
    this.#model = model;
    this.#most = most;
  }

  /**
   * Runs `answer` when the earlier answers of the conversation are done.
   *
   * @param key - Tells decoders apart; `build` makes one when the last one was another.
   * @throws `ABORTED` when `signal` aborts before its turn comes; what `build` and `answer` throw.
   */
  async inTurn<T>(
    name: string,
    { key, build, signal }: TurnOptions,
    answer: (session: Session, decoder: Decoder) => Promise<T>,
  ): Promise<T> {
    const chat = this.#chats.get(name) ?? this.#open();
    this.#chats.delete(name);
    this.#chats.set(name, chat);
    const before = chat.tail;
    const result = turnOf(before, signal).then(async () => {
      if (chat.decoder?.key !== key) chat.decoder = { key, built: await build() };
      return answer(chat.session, chat.decoder.built);
    });
    chat.waiting++;
    chat.tail = Promise.allSettled([before, result]).then(() => {
      chat.waiting--;
    });
    return result;
  }

  /** Frees the cache of a conversation when its answers are done. */
  async end(name: string): Promise<void> {
    const chat = this.#chats.get(name);
    this.#chats.delete(name);
    await chat?.tail;
    chat?.session.dispose();
  }

  #open(): Chat {
    for (const [name, chat] of this.#chats) {
      if (this.#chats.size < this.#most) break;
      if (chat.waiting > 0) continue;
      this.#chats.delete(name);
      chat.session.dispose();
    }
    return { session: this.#model.createSession(), decoder: undefined, tail: Promise.resolve(), waiting: 0 };
  }
}

/** Waits for one's turn, but no longer than one wants it. */
function turnOf(before: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () =>
      reject(
        new DecodingError("ABORTED", {
          message: "The generation was aborted while it waited for the one before it.",
          fix: "Ask again.",
          cause: signal?.reason,
        }),
      );
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    before.then(() => {
      signal?.removeEventListener("abort", giveUp);
      resolve();
    });
  });
}
