import type { Decoding } from "./decoder.ts";
import type { LawState, TokenLogProbability } from "./law-state.ts";
import type { LayerPlan } from "./layer-schedule.ts";
import type { Random } from "./random.ts";
import { orRollBack } from "./roll-back.ts";
import type { RowInput, Session } from "./session.ts";
import type { TokenId } from "./tokens.ts";

/** What a prefill needs. */
export interface PrefillInput {
  readonly session: Session;
  /** The whole prompt `[P]`; the session holds a proper prefix of it. */
  readonly prompt: readonly TokenId[];
  readonly decoding: Decoding;
  /** The law state behind the prompt. */
  readonly law: LawState;
  readonly random: Random;
  readonly layerPlan: LayerPlan | undefined;
  /** Most rows of one pass: abort and progress come between passes. */
  readonly chunkRows: number;
  readonly logProbabilities?: number;
  readonly signal?: AbortSignal;
  onChunk(loaded: number, elapsedMs: number): void;
}

/** The first token of the answer: decided, not fed yet. */
export interface FirstToken {
  readonly token: TokenId;
  readonly logProbability: TokenLogProbability | undefined;
}

/** Runs the prompt in chunks, shows them to the decoding, commits them, and draws the first token. */
export async function prefill(input: PrefillInput): Promise<FirstToken> {
  const { session, prompt, onChunk } = input;
  for (;;) {
    const began = performance.now();
    const first = await orRollBack(session, () => runChunk(input));
    onChunk(session.tokens.length, performance.now() - began);
    if (session.tokens.length === prompt.length) return first!;
  }
}

async function runChunk(input: PrefillInput): Promise<FirstToken | undefined> {
  const { session, prompt, decoding, law, random, layerPlan, signal } = input;
  const position = session.tokens.length;
  const edge = layerPlan?.nextChange(position) ?? Number.POSITIVE_INFINITY;
  const end = Math.min(prompt.length, position + input.chunkRows, edge);
  const isLast = end === prompt.length;
  const tokens = prompt.slice(position, end);
  const lastRow = tokens.length - 1;
  const probes = isLast ? ((await decoding.prefillProbes?.(tokens[lastRow]!, lastRow, end - 1)) ?? []) : [];

  const rows: RowInput[] = [...tokens.map((token) => ({ token })), ...probes];
  const { logits, ...wants } = decoding.prefillWants;
  const pass = await session.forward(rows, {
    ...wants,
    logits:
      logits ?? (probes.length > 0 ? rows.map((_, row) => row).slice(lastRow) : isLast ? "last" : undefined),
    argmax: law.isPlainGreedy,
    layers: layerPlan?.layersAt(position),
    signal,
  });
  const first = isLast ? await drawFirst(input, pass, lastRow, random) : undefined;
  await decoding.observe({
    kind: "prefill",
    pass,
    position,
    rowTokens: tokens,
    parents: tokens.map((_, row) => row - 1),
    committed: tokens.map((_, row) => row),
    next: first?.token,
    probes: probes.map((_, index) => lastRow + 1 + index),
  });
  session.commit(pass.rows.slice(0, tokens.length));
  return first;
}

async function drawFirst(
  { law, prompt, logProbabilities }: PrefillInput,
  pass: Parameters<LawState["law"]>[0],
  row: number,
  random: Random,
): Promise<FirstToken> {
  const token = (await law.law(pass, row)).draw(random.uniform(prompt.length, "token"));
  const logProbability =
    logProbabilities === undefined
      ? undefined
      : await law.logProbabilities(pass, row, token, logProbabilities);
  return { token, logProbability };
}
