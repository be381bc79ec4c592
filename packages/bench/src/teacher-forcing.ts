import type { Model, Pass, Session, TokenId } from "@foretoken/core";

/** Most prompt rows of one pass. */
const CHUNK_ROWS = 128;

/** Runs a text through a session and commits it, without reading anything. */
export async function feed(session: Session, tokens: readonly TokenId[]): Promise<void> {
  for (let start = 0; start < tokens.length; start += CHUNK_ROWS) {
    const pass = await session.forward(tokens.slice(start, start + CHUNK_ROWS).map((token) => ({ token })));
    session.commit(pass.rows);
  }
}

/**
 * Runs a given answer behind a prompt, `rows` tokens a pass, and shows every row to `visit`. Row `i` predicts what follows
 * `answer[i]`.
 *
 * @param visit - Gets the pass, the row in it, and the index in `answer`; rows are freed after the pass.
 */
export async function force(
  model: Model,
  prompt: readonly TokenId[],
  answer: readonly TokenId[],
  rows: number,
  visit: (pass: Pass, row: number, index: number) => Promise<void>,
): Promise<void> {
  const session = model.createSession();
  try {
    await feed(session, prompt);
    for (let start = 0; start < answer.length; start += rows) {
      const chunk = answer.slice(start, start + rows);
      const pass = await session.forward(
        chunk.map((token) => ({ token })),
        { logits: "all" },
      );
      for (let row = 0; row < chunk.length; row++) await visit(pass, row, start + row);
      session.commit(pass.rows);
    }
  } finally {
    session.dispose();
  }
}
