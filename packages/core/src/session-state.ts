import type { Decoder, Decoding } from "./decoder.ts";
import { DecodingError } from "./errors.ts";
import type { LayerPlan } from "./layer-schedule.ts";
import type { Model } from "./model.ts";
import type { LayerSet, Session } from "./session.ts";
import type { TokenId } from "./tokens.ts";

/** Decodings live as long as their session, so that drafters keep what they learnt over several answers. */
const kept = new WeakMap<Session, { decoder: Decoder; decoding: Decoding }>();
const busy = new WeakSet<Session>();
/** Sessions whose disposal is listened to. */
const watched = new WeakSet<Session>();

/** A session that one generation holds. */
export interface HeldSession {
  readonly session: Session;
  readonly decoding: Decoding;
  /** Prompt tokens that need not be run again; always fewer than the prompt has. */
  readonly cachedTokens: number;
  /** Lets the session go; after a failure without the decoding's state. */
  release(failed: boolean): void;
}

/** Who takes a session, and for what. */
export interface HoldRequest {
  readonly model: Model;
  readonly decoder: Decoder;
  readonly prompt: readonly TokenId[];
  readonly layerPlan: LayerPlan | undefined;
  /** The caller's session; one for this generation alone is made and disposed when left out. */
  readonly given: Session | undefined;
}

/**
 * Takes a session for one generation: keeps the longest prefix it shares with the prompt, one token short of the whole,
 * so that there is always a row to draw the first token from. Rows that ran other layers than the plan's are not shared: an
 * answer must not depend on what the session did before.
 *
 * @throws `SESSION_BUSY`, `DISPOSED`
 */
export function holdSession(request: HoldRequest): HeldSession {
  const { model, given } = request;
  const session = given ?? model.createSession();
  if (session.isDisposed) {
    throw new DecodingError("DISPOSED", {
      message: "The session was disposed.",
      fix: "Create a new one with model.createSession().",
    });
  }
  if (session.model !== model) {
    throw new DecodingError("INVALID_OPTION", {
      message: `The session belongs to model ${session.model.id}, not to ${model.id}.`,
      fix: "Pass a session that this model created.",
    });
  }
  if (busy.has(session)) {
    throw new DecodingError("SESSION_BUSY", {
      message: "Another generation is running on this session.",
      fix: "Wait for it to end, or give each generation a session of its own.",
    });
  }

  try {
    return hold(session, request);
  } catch (error) {
    if (given === undefined) session.dispose();
    throw error;
  }
}

function hold(session: Session, { model, decoder, prompt, layerPlan, given }: HoldRequest): HeldSession {
  const prefix = sharedPrefix(session, prompt, layerPlan);
  session.truncate(prefix);
  let entry = kept.get(session);
  if (entry !== undefined && entry.decoder !== decoder) {
    forget(session);
    entry = undefined;
  }
  const decoding = entry?.decoding ?? decoder.start({ model, session, missingPrefix: prefix });
  if (entry !== undefined) decoding.truncate(prefix);
  else if (prefix > 0 && decoding.needsPrefix) session.truncate(0);

  busy.add(session);
  if (!watched.has(session)) {
    watched.add(session);
    session.onDispose(() => forget(session));
  }
  kept.set(session, { decoder, decoding });
  return {
    session,
    decoding,
    cachedTokens: session.tokens.length,
    release: (failed) => {
      busy.delete(session);
      if (failed) forget(session);
      if (given === undefined) session.dispose();
    },
  };
}

function forget(session: Session): void {
  kept.get(session)?.decoding.dispose();
  kept.delete(session);
}

function sharedPrefix(session: Session, prompt: readonly TokenId[], plan: LayerPlan | undefined): number {
  const most = Math.min(session.tokens.length, prompt.length - 1);
  for (let index = 0; index < most; index++) {
    if (session.tokens[index] !== prompt[index]) return index;
    if (!sameLayers(session.layersAt(index), plan?.layersAt(index))) return index;
  }
  return most;
}

function sameLayers(left: LayerSet | undefined, right: LayerSet | undefined): boolean {
  return (
    left === right ||
    (left ?? right)!.every((_, layer) => (left?.[layer] ?? true) === (right?.[layer] ?? true))
  );
}
