import type { Session } from "./session.ts";

/** Runs `work`; when it throws, frees what it left pending, so that the session stands at its last commit. */
export async function orRollBack<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!session.isDisposed) session.discard();
    throw error;
  }
}
