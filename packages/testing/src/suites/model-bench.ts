import type { Model, Pass, RowInput, Session, TokenId } from "@foretoken/core";
import { expect } from "vitest";
import type { Check } from "./check.ts";

/** Makes a check that runs on the shared model. */
export type ModelCheck = (name: string, run: (bench: ModelBench) => Promise<void>) => Check;

/** A model under test, with sessions that are disposed after each check. */
export class ModelBench {
  readonly model: Model;
  readonly #tolerance: number;
  readonly #sessions: Session[] = [];

  constructor(model: Model, tolerance: number) {
    this.model = model;
    this.#tolerance = tolerance;
  }

  /** A text of tokens that all models have; `seed` chooses one. */
  text(length: number, seed = 1): TokenId[] {
    return Array.from(
      { length },
      (_, at) => (seed * 7 + at * 5 + (at % 3)) % Math.min(97, this.model.vocabularySize),
    );
  }

  track<T extends Session>(session: T): T {
    this.#sessions.push(session);
    return session;
  }

  /** A session that holds a text, run in passes of `chunk` rows. */
  async session(tokens: readonly TokenId[], chunk = tokens.length): Promise<Session> {
    const session = this.track(this.model.createSession());
    for (let at = 0; at < tokens.length; at += chunk) {
      const pass = await session.forward(rowsOf(tokens.slice(at, at + chunk)));
      session.commit(pass.rows);
    }
    return session;
  }

  /** Logits behind a text in a session of its own. */
  async logitsBehind(tokens: readonly TokenId[]): Promise<Float32Array> {
    const session = await this.session(tokens.slice(0, -1));
    return copyOf(await session.forward(rowsOf(tokens.slice(-1)), { logits: "all" }), 0);
  }

  /** Fails unless a row's logits are those behind a text. */
  async expectLaw(pass: Pass, row: number, tokens: readonly TokenId[]): Promise<void> {
    this.expectClose(
      await copyOf(pass, row),
      await this.logitsBehind(tokens),
      `row ${row} behind ${tokens.join(" ")}`,
    );
  }

  expectClose(given: Float32Array, expected: Float32Array, what: string): void {
    expect(given.length, what).toBe(expected.length);
    let most = 0;
    for (let at = 0; at < given.length; at++) {
      if (given[at] !== expected[at]) most = Math.max(most, Math.abs(given[at]! - expected[at]!));
    }
    expect(most, what).toBeLessThanOrEqual(this.#tolerance);
  }

  disposeSessions(): void {
    for (const session of this.#sessions.splice(0)) session.dispose();
  }
}

/** Rows that feed tokens one behind the other. */
export const rowsOf = (tokens: readonly TokenId[]): RowInput[] => tokens.map((token) => ({ token }));

/** A row's logits that stay valid. */
export const copyOf = async (pass: Pass, row: number) => (await pass.logits(row)).slice();

/** Any error with this code. */
export const coded = (code: string) => expect.objectContaining({ code });
