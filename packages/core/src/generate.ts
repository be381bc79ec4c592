import type { DecodeStep, FinishReason } from "./decoder.ts";
import { DecodingError, hasCode } from "./errors.ts";
import { checkOptions, type GenerateOptions, promptTokens } from "./generate-options.ts";
import type { Guarantee } from "./guarantee.ts";
import { lawStateFor } from "./law-pipeline.ts";
import type { TokenLogProbability } from "./law-state.ts";
import type { Model } from "./model.ts";
import { seededRandom } from "./philox.ts";
import { plain } from "./plain.ts";
import { prefill } from "./prefill.ts";
import { type Report, ReportBuilder } from "./report.ts";
import { holdSession } from "./session-state.ts";
import { stopRule } from "./stop-rule.ts";
import { TextStream } from "./text-stream.ts";
import type { TokenId } from "./tokens.ts";

/** A piece of an answer as it streams. */
export interface GenerationChunk {
  /** Text that became certain; may be empty while a character or a stop string is undecided. */
  readonly text: string;
  /** Tokens of the pass. */
  readonly tokens: readonly TokenId[];
  /** Which drafters proposed each token; empty for the target's own. */
  readonly sources: readonly (readonly string[])[];
  readonly logProbabilities?: readonly TokenLogProbability[];
}

/** How many tokens went in and came out. */
export interface Usage {
  readonly promptTokens: number;
  /** Of those, the ones that were in the session's cache already. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

/** A finished answer. */
export interface Generation {
  /** Without the end token, cut before a stop string. */
  readonly text: string;
  /** All tokens, the end token and those of a stop string included. */
  readonly tokens: readonly TokenId[];
  readonly finish: FinishReason;
  /** One entry for each token, when asked for. */
  readonly logProbabilities?: readonly TokenLogProbability[];
  readonly usage: Usage;
  readonly seed: number;
  readonly guarantee: Guarantee;
  readonly report: Report;
}

/** An answer that streams: iterate for the chunks, await `result` for the whole. */
export interface GenerationStream extends AsyncIterable<GenerationChunk> {
  /** Settles when the iteration ends; runs the generation by itself when nobody iterates. */
  readonly result: Promise<Generation>;
}

/**
 * Answers a prompt.
 *
 * An abort before the call rejects with `ABORTED`; a later one resolves with what was made so far and finish `"aborted"`.
 * After any error the session stands at its last commit.
 *
 * @throws `INVALID_OPTION`, `EMPTY_PROMPT`, `PROMPT_TOO_LONG`, `UNSUPPORTED`, `SESSION_BUSY`, `DISPOSED`, `POOL_FULL`,
 * `INVALID_LOGITS`, `EMPTY_LAW`, `INVALID_DRAFT`, `PART_FAILED`, and what rendering messages throws.
 */
export async function generate(model: Model, options: GenerateOptions): Promise<Generation> {
  const chunks = run(model, options);
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) return next.value;
  }
}

/**
 * Answers a prompt in pieces. Nothing runs until the first piece or `result` is asked for, and a reader that stalls
 * stalls only this answer. Leaving the loop early ends the generation; `result` then has what was read.
 *
 * @throws As {@link generate}, from the iteration and from `result`.
 */
export function stream(model: Model, options: GenerateOptions): GenerationStream {
  let settle: { resolve: (value: Generation) => void; reject: (reason: unknown) => void };
  let started = false;
  const result = new Promise<Generation>((resolve, reject) => {
    settle = { resolve, reject };
  });
  result.catch(() => {}); // The iteration throws the same error: nobody has to read both.

  async function* chunks(): AsyncGenerator<GenerationChunk, void, undefined> {
    started = true;
    let finished = false;
    const source = run(model, options, (partial) => settle.resolve(partial));
    try {
      for (;;) {
        const next = await source.next();
        if (next.done === true) {
          finished = true;
          settle.resolve(next.value);
          return;
        }
        yield next.value;
      }
    } catch (error) {
      finished = true;
      settle.reject(error);
      throw error;
    } finally {
      if (!finished) await source.return(undefined as never);
    }
  }

  const drain = async () => {
    for await (const chunk of chunks()) void chunk;
  };
  return {
    [Symbol.asyncIterator]: chunks,
    get result() {
      if (!started) drain().catch(() => {});
      return result;
    },
  };
}

/**
 * @param onLeft - Gets what was made when the consumer leaves early.
 */
async function* run(
  model: Model,
  options: GenerateOptions,
  onLeft?: (partial: Generation) => void,
): AsyncGenerator<GenerationChunk, Generation, undefined> {
  checkOptions(options);
  const { decoder = plain(), events, logProbabilities, signal, prefillChunk: chunkRows = 128 } = options;
  const report = new ReportBuilder(model);
  const missing = [...decoder.unsupported(model), ...model.unsupported(decoder.requirements(model))];
  if (missing.length > 0) {
    throw new DecodingError("UNSUPPORTED", {
      message: `${decoder.name} cannot run on ${model.id} (${model.device}, ${model.dtype}): ${missing.join(" ")}`,
      fix: "Choose another decoder, device or model; nothing slower is used in silence.",
    });
  }
  const prompt = promptTokens(model, options);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const random = seededRandom(seed);
  let law = lawStateFor(options, { vocabularySize: model.vocabularySize, promptTokens: prompt });
  const stops = options.stop ?? [];
  let stop = stopRule({
    endTokens: options.ignoreEnd ? [] : (options.endTokens ?? [...(model.tokenizer?.endTokens ?? [])]),
    stop: stops,
    maxTokens: options.maxTokens,
    contextRoom: model.contextLength - prompt.length,
    tokenizer: model.tokenizer,
  });
  if (signal?.aborted) throw aborted();
  await decoder.prepare?.(model, { signal });
  // Asked again: a part that was loaded may need more of the model than one could tell before.
  await model.prepare(decoder.requirements(model), { signal });

  const layerPlan = decoder.schedule?.plan(model, prompt.length);
  const held = holdSession({ model, decoder, prompt, layerPlan, given: options.session });
  const { session, decoding } = held;
  const branch = "main";
  const text = new TextStream(model.tokenizer, stops);
  const tokens: TokenId[] = [];
  const reported: TokenLogProbability[] | undefined = logProbabilities === undefined ? undefined : [];
  const guarantee = decoder.guarantee();
  const finished = (finish: FinishReason): Generation => ({
    text: text.text,
    tokens,
    finish,
    logProbabilities: reported,
    usage: { promptTokens: prompt.length, cachedTokens: held.cachedTokens, completionTokens: tokens.length },
    seed,
    guarantee,
    report: report.build(decoder.name, guarantee, decoding.explain?.() ?? []),
  });
  let outcome: "left" | "failed" | "done" = "left";

  try {
    events?.emit("start", { branch, promptTokens: prompt.length, cachedTokens: held.cachedTokens });
    if (stop.finish === undefined) {
      const first = await prefill({
        session,
        prompt,
        decoding,
        law,
        random,
        layerPlan,
        chunkRows,
        logProbabilities,
        signal,
        onChunk: (loaded, elapsedMs) => {
          report.prefill(elapsedMs);
          events?.emit("prefill", { branch, loaded, total: prompt.length });
        },
      });
      report.firstToken();
      tokens.push(first.token);
      if (first.logProbability !== undefined) reported?.push(first.logProbability);
      stop = stop.advance(first.token);
      yield {
        text: text.push(stop.finish === "end" ? [] : [first.token]),
        tokens: [first.token],
        sources: [[]],
        logProbabilities: reported?.slice(),
      };
      if (stop.finish === undefined) {
        law = law.advance(first.token);
        const steps = decoding.steps({
          session,
          root: first.token,
          law,
          stop,
          random,
          layerPlan,
          logProbabilities,
          signal,
        });
        for await (const step of steps) {
          let position = prompt.length + tokens.length;
          for (const pass of step.passes ?? [step]) {
            report.step(pass);
            emitStep(events, branch, pass, position);
            position += pass.tokens.length;
          }
          tokens.push(...step.tokens);
          reported?.push(...(step.logProbabilities ?? []));
          for (const token of step.tokens) stop = stop.advance(token);
          yield {
            text: text.push(stop.finish === "end" ? step.tokens.slice(0, -1) : step.tokens),
            tokens: step.tokens,
            sources: step.sources,
            logProbabilities: step.logProbabilities,
          };
        }
      }
    }
    const rest = text.end(stop.finish === "stop");
    if (rest !== "") yield { text: rest, tokens: [], sources: [] };
    outcome = "done";
    const generation = finished(stop.finish ?? "length");
    events?.emit("finish", { branch, finish: generation.finish, tokens: tokens.length });
    return generation;
  } catch (error) {
    outcome = "failed";
    if (!(signal?.aborted && hasCode(error, "ABORTED"))) throw error;
    outcome = "done";
    const rest = text.end(false);
    if (rest !== "") yield { text: rest, tokens: [], sources: [] };
    events?.emit("finish", { branch, finish: "aborted", tokens: tokens.length });
    return finished("aborted");
  } finally {
    held.release(outcome === "failed");
    if (outcome === "left") {
      text.end(false);
      onLeft?.(finished("aborted"));
    }
  }
}

function aborted(): DecodingError {
  return new DecodingError("ABORTED", {
    message: "The signal was aborted before anything ran.",
    fix: "Pass a signal that is not aborted yet.",
  });
}

function emitStep(
  events: GenerateOptions["events"],
  branch: string,
  step: DecodeStep,
  position: number,
): void {
  if (events === undefined || events.listenerCount("step") === 0) return;
  events.emit("step", {
    branch,
    tokens: step.tokens,
    position,
    drafted: step.drafted,
    accepted: step.accepted,
    rows: step.rows,
    bySource: step.bySource,
    times: step.times,
    tree: step.tree?.nodes.map(({ token, parent, sources }) => ({ token, parent, sources })) ?? [],
    path: step.path ?? [],
  });
}
