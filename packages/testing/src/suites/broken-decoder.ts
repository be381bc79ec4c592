import {
  type DecodeContext,
  type Decoder,
  type DecodeStep,
  type Decoding,
  type LawState,
  type StopState,
  type TokenId,
  type TokenLogProbability,
  TokenTree,
} from "@foretoken/core";
import { mix } from "../scripted/context-node.ts";
import { largest } from "../scripted/script.ts";
import type { ScriptedModel } from "../scripted/scripted-model.ts";

/** What can be wrong with a {@link brokenDecoder}; each is a fault of a real decoder. */
export type DecoderBug =
  | "goes on behind an end inside a run"
  | "drafts behind the context's end"
  | "draws by order, not by key"
  | "reads the law one row too early"
  | "advances penalties by steps"
  | "puts the newest token into the cache"
  | "leaves rejected rows pending"
  | "keeps rows pending after an error"
  | "keeps decoding after an abort"
  | "reports log-probability 0 for accepted tokens"
  | "counts a draft twice"
  | "accepts a draft where the target is undecided"
  | "asks for no logits"
  | "lies about its tree"
  | "shares state between sequences";

const DEPTH = 4;
const SOURCE = "chain";

/** A small speculative loop over chains, right unless given a bug. Test-only: what the suite must catch. */
export function brokenDecoder(model: ScriptedModel, bug?: DecoderBug): Decoder {
  let draws = 0;
  const shared = { count: 0 };
  const start: Decoder["start"] = () => ({
    prefillWants: {},
    needsPrefix: false,
    observe: async () => {},
    steps: (context) => steps(context),
    fork: () => start(undefined as never),
    truncate: () => {},
    dispose: () => {},
  });
  return {
    name: bug ?? "sound",
    requirements: () => ({}),
    unsupported: () => [],
    guarantee: () => ({ level: "identical", reasons: ["it draws and matches"] }),
    start,
  };

  async function* steps(context: DecodeContext): ReturnType<Decoding["steps"]> {
    let { root, law, stop } = context;
    while (stop.finish === undefined) {
      try {
        const round = await run(context, root, law, stop);
        ({ law, stop } = round);
        root = round.step.tokens.at(-1)!;
        yield round.step;
      } catch (error) {
        if (bug !== "keeps rows pending after an error" && !context.session.isDisposed)
          context.session.discard();
        throw error;
      }
    }
  }

  async function run(context: DecodeContext, root: TokenId, before: LawState, stopBefore: StopState) {
    const { session, random, signal, logProbabilities: top } = context;
    const position = session.tokens.length;
    const room =
      bug === "drafts behind the context's end" ? DEPTH : Math.min(stopBefore.remaining - 1, DEPTH);
    const draft = guess([...session.tokens, root], room);
    const pass = await session.forward(
      [root, ...draft].map((token) => ({ token })),
      {
        logits: bug === "asks for no logits" ? undefined : "all",
        signal: bug === "keeps decoding after an abort" ? undefined : signal,
      },
    );
    const tokens: TokenId[] = [];
    const reported: TokenLogProbability[] = [];
    let law = before;
    let stop = stopBefore;
    let accepted = 0;
    for (let row = 0; ; row++) {
      const target = await law.law(
        pass,
        bug === "reads the law one row too early" ? Math.max(0, row - 1) : row,
      );
      const key = bug === "shares state between sequences" ? shared.count++ % 3 : 0;
      let token =
        bug === "draws by order, not by key"
          ? target.draw(mix(draws++, 3) / 2 ** 32)
          : target.draw(random.uniform(position + row + 1, "token", key));
      if (bug === "accepts a draft where the target is undecided" && row < draft.length) {
        if (target.probability(draft[row]!) > 0.3) token = draft[row]!;
      }
      const entry = top === undefined ? undefined : await law.logProbabilities(pass, row, token, top);
      const isAccepted = row < draft.length && token === draft[row];
      if (entry !== undefined) {
        const isLying = bug === "reports log-probability 0 for accepted tokens" && isAccepted;
        reported.push(isLying ? { ...entry, raw: 0 } : entry);
      }
      tokens.push(token);
      if (isAccepted) accepted++;
      const next = stop.advance(token);
      const isOver = next.finish !== undefined;
      stop = next;
      if (isOver && !(bug === "goes on behind an end inside a run" && isAccepted)) break;
      if (!isOver && bug !== "advances penalties by steps") law = law.advance(token);
      if (!isAccepted) break;
    }
    if (bug === "advances penalties by steps" && stop.finish === undefined) law = law.advance(tokens.at(-1)!);
    const kept = bug === "puts the newest token into the cache" ? accepted : tokens.length - 1;
    const committed = pass.rows.slice(0, 1 + Math.min(kept, draft.length));
    session.commit(
      committed,
      bug === "leaves rejected rows pending" ? { keep: pass.rows.slice(committed.length) } : {},
    );
    const tree = TokenTree.chain(root, draft, SOURCE);
    const counted = bug === "counts a draft twice" ? 2 * accepted : accepted;
    const step: DecodeStep = {
      tokens,
      sources: tokens.map((_, at) => (at < accepted ? [SOURCE] : [])),
      logProbabilities: top === undefined ? undefined : reported,
      drafted: draft.length,
      accepted: counted,
      draftedDepth: draft.length,
      rows: pass.rows.length,
      bySource: draft.length === 0 ? {} : { [SOURCE]: { drafted: draft.length, accepted: counted } },
      times: { draftMs: 0, passMs: pass.elapsedMs, verifyMs: 0 },
      tree: bug === "lies about its tree" ? TokenTree.chain(root, [...draft].reverse(), SOURCE) : tree,
      path: tokens.slice(0, accepted).map((_, at) => at + 1),
      finish: stop.finish,
    };
    return { step, law, stop };
  }

  function guess(text: readonly TokenId[], room: number): TokenId[] {
    const path = [...text];
    for (let depth = 0; depth < room; depth++) path.push(largest(model.logitsOf(path)));
    return path.slice(text.length);
  }
}
