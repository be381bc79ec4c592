import {
  type DecodeContext,
  type Decoder,
  type Decoding,
  lawStateFor,
  type RowInput,
  type SamplingOptions,
  type Session,
  seededRandom,
  stopRule,
  type TokenId,
} from "@foretoken/core";
import type { ScriptedModel } from "../scripted/scripted-model.ts";

/** Where a decoding stands between two steps, and what it needs to go on. */
export interface DecodingPlace {
  readonly session: Session;
  readonly decoding: Decoding;
  readonly context: Omit<DecodeContext, "session">;
}

/** How a decoding by hand begins. */
export interface DecodingByHandOptions {
  readonly model: ScriptedModel;
  readonly decoder: Decoder;
  readonly prompt: readonly TokenId[];
  readonly sampling: SamplingOptions;
  readonly seed: number;
  readonly maxTokens: number;
}

/** Runs the prompt and draws the first token, as `generate()` does, so that a test can fork and truncate in the middle. */
export async function startDecoding(options: DecodingByHandOptions): Promise<DecodingPlace> {
  const { model, decoder, prompt, sampling, seed, maxTokens } = options;
  await decoder.prepare?.(model);
  await model.prepare(decoder.requirements(model));
  const layerPlan = decoder.schedule?.plan(model, prompt.length);
  const session = model.createSession();
  const decoding = decoder.start({ model, session, missingPrefix: 0 });
  const random = seededRandom(seed);
  const start = lawStateFor(sampling, { vocabularySize: model.vocabularySize, promptTokens: prompt });
  const stop = stopRule({
    endTokens: [],
    stop: [],
    maxTokens,
    contextRoom: model.contextLength - prompt.length,
    tokenizer: model.tokenizer,
  });
  for (;;) {
    const root = await runChunk({ session, decoding, prompt, layerPlan }, async (pass, row) =>
      (await start.law(pass, row)).draw(random.uniform(prompt.length, "token")),
    );
    if (root === undefined) continue;
    return {
      session,
      decoding,
      context: { root, law: start.advance(root), stop: stop.advance(root), random, layerPlan },
    };
  }
}

/** One prompt pass, as far as the layers stay the same; the first token of the answer behind the last one. */
async function runChunk(
  {
    session,
    decoding,
    prompt,
    layerPlan,
  }: Pick<DecodingPlace, "session" | "decoding"> &
    Pick<DecodeContext, "layerPlan"> & { prompt: readonly TokenId[] },
  draw: (pass: Awaited<ReturnType<Session["forward"]>>, row: number) => Promise<TokenId>,
): Promise<TokenId | undefined> {
  const position = session.tokens.length;
  const end = Math.min(prompt.length, layerPlan?.nextChange(position) ?? prompt.length);
  const tokens = prompt.slice(position, end);
  const lastRow = tokens.length - 1;
  const isLast = end === prompt.length;
  const probes = isLast ? ((await decoding.prefillProbes?.(tokens[lastRow]!, lastRow, end - 1)) ?? []) : [];
  const rows: RowInput[] = [...tokens.map((token) => ({ token })), ...probes];
  const layers = layerPlan?.layersAt(position);
  const pass = await session.forward(rows, { ...decoding.prefillWants, logits: "all", layers });
  const next = isLast ? await draw(pass, lastRow) : undefined;
  await decoding.observe({
    kind: "prefill",
    pass,
    position,
    rowTokens: tokens,
    parents: tokens.map((_, row) => row - 1),
    committed: tokens.map((_, row) => row),
    next,
    probes: probes.map((_, index) => tokens.length + index),
  });
  session.commit(pass.rows.slice(0, tokens.length));
  return next;
}

/** Runs steps until so many tokens were made or the answer ended; the generator is left there. */
export async function decodeSome(
  { session, decoding, context }: DecodingPlace,
  atLeast: number,
): Promise<{ readonly tokens: readonly TokenId[]; readonly place: DecodingPlace }> {
  const tokens: TokenId[] = [];
  let { law, stop, root } = context;
  for await (const step of decoding.steps({ ...context, session })) {
    for (const token of step.tokens) {
      tokens.push(token);
      root = token;
      stop = stop.advance(token);
      if (stop.finish === undefined) law = law.advance(token);
    }
    if (tokens.length >= atLeast) break;
  }
  return { tokens, place: { session, decoding, context: { ...context, law, stop, root } } };
}

/** The same place on a branch of the session. */
export function forkPlace({ session, decoding, context }: DecodingPlace): DecodingPlace {
  const branch = session.branch();
  return { session: branch, decoding: decoding.fork(branch), context };
}

/** Ends decoding and session. */
export function leavePlace({ session, decoding }: DecodingPlace): void {
  decoding.dispose();
  session.dispose();
}
