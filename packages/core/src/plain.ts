import type { DecodeContext, Decoder, DecodeStep, Decoding } from "./decoder.ts";
import { guaranteeOf } from "./guarantee.ts";
import type { LayerSchedule } from "./layer-schedule.ts";
import { orRollBack } from "./roll-back.ts";

/** Options of {@link plain}. */
export interface PlainOptions {
  /** Which layers run at which position; default all. */
  readonly schedule?: LayerSchedule;
}

/** One token for each target pass: what every other decoder is measured against. */
export function plain({ schedule }: PlainOptions = {}): Decoder {
  return {
    name: "plain",
    schedule,
    requirements: () => ({ gates: schedule !== undefined }),
    unsupported: (model) => schedule?.unsupported?.(model) ?? [],
    guarantee: () =>
      schedule?.guarantee() ??
      guaranteeOf([{ level: "identical", reasons: ["plain decoding is the reference"] }]),
    start: plainDecoding,
  };
}

function plainDecoding(): Decoding {
  const decoding: Decoding = {
    prefillWants: {},
    needsPrefix: false,
    observe: async () => {},
    steps: plainSteps,
    fork: () => decoding,
    truncate: () => {},
    dispose: () => {},
  };
  return decoding;
}

async function* plainSteps({
  session,
  root,
  random,
  layerPlan,
  signal,
  logProbabilities,
  ...start
}: DecodeContext): AsyncGenerator<DecodeStep, void, undefined> {
  let { law, stop } = start;
  for (let token = root; stop.finish === undefined; ) {
    const here = law;
    const step = await orRollBack(session, async (): Promise<DecodeStep> => {
      const position = session.tokens.length;
      const pass = await session.forward([{ token }], {
        logits: "all",
        argmax: here.isPlainGreedy,
        layers: layerPlan?.layersAt(position),
        signal,
      });
      const began = performance.now();
      const next = (await here.law(pass, 0)).draw(random.uniform(position + 1, "token"));
      const reported =
        logProbabilities === undefined
          ? undefined
          : await here.logProbabilities(pass, 0, next, logProbabilities);
      session.commit(pass.rows);
      stop = stop.advance(next);
      return {
        tokens: [next],
        sources: [[]],
        logProbabilities: reported && [reported],
        drafted: 0,
        accepted: 0,
        draftedDepth: 0,
        rows: 1,
        bySource: {},
        times: { draftMs: 0, passMs: pass.elapsedMs, verifyMs: performance.now() - began },
        finish: stop.finish,
      };
    });
    token = step.tokens[0]!;
    if (stop.finish === undefined) law = law.advance(token);
    yield step;
  }
}
