import type { Decoder, Model, Session } from "@foretoken/core";

/** What one conversation keeps between its answers. */
interface Chat {
  readonly session: Session;
  /** The decoder in use: drafters remember as long as it stays the same object. */
  decoder: { readonly key: string; readonly built: Decoder } | undefined;
  /** Settles when the answers asked for so far are done. */
  tail: Promise<unknown>;
  waiting: number;
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
   */
  async inTurn<T>(
    name: string,
    key: string,
    build: () => Promise<Decoder>,
    answer: (session: Session, decoder: Decoder) => Promise<T>,
  ): Promise<T> {
    const chat = this.#chats.get(name) ?? this.#open();
    this.#chats.delete(name);
    this.#chats.set(name, chat);
    chat.waiting++;
    const result = chat.tail.then(async () => {
      if (chat.decoder?.key !== key) chat.decoder = { key, built: await build() };
      return answer(chat.session, chat.decoder.built);
    });
    chat.tail = result.catch(() => {});
    try {
      return await result;
    } finally {
      chat.waiting--;
    }
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
