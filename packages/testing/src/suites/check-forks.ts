import { expect } from "vitest";
import type { Check } from "./check.ts";
import type { DecoderBench } from "./decoder-bench.ts";
import { type DecodingPlace, decodeSome, forkPlace, leavePlace, startDecoding } from "./decoding-by-hand.ts";
import { looping } from "./suite-scripts.ts";

const PROMPT = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3];
const MAX_TOKENS = 24;

/** A decoding in the middle of a text: copied to a branch, or set back. */
export function forkChecks(bench: DecoderBench): Check[] {
  const begin = () => {
    const model = bench.model(looping);
    const decoder = bench.decoder(model);
    const start = { model, decoder, prompt: PROMPT, sampling: { temperature: 0.8 }, seed: 6 };
    return { model, place: startDecoding({ ...start, maxTokens: MAX_TOKENS }) };
  };
  const rest = async (place: DecodingPlace) => (await decodeSome(place, MAX_TOKENS)).tokens;
  return [
    {
      name: "a fork in the middle of a text goes on like the original, and neither disturbs the other",
      run: async () => {
        const control = begin();
        const { place: middle } = await decodeSome(await control.place, 5);
        const expected = await rest(middle);
        const forked = begin();
        const { place } = await decodeSome(await forked.place, 5);
        const [fork, loser] = [forkPlace(place), forkPlace(place)];
        await decodeSome(loser, 4);
        leavePlace(loser);
        const [first, second] = await Promise.all([rest(fork), rest(place)]);
        expect([first, second]).toEqual([expected, expected]);
        expect(fork.session.tokens).toEqual(place.session.tokens);
        for (const done of [fork, place, middle]) leavePlace(done);
        for (const { model } of [control, forked]) {
          expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
        }
      },
    },
    {
      name: "set back to an earlier place, it decodes on from there",
      run: async () => {
        const { place } = begin();
        const start = await place;
        const length = start.session.tokens.length;
        const { tokens } = await decodeSome(start, 8);
        start.session.truncate(length);
        start.decoding.truncate(length);
        const again = await decodeSome(start, MAX_TOKENS);
        expect(again.tokens).toHaveLength(MAX_TOKENS - 1);
        if (bench.level === "identical") expect(again.tokens.slice(0, tokens.length)).toEqual(tokens);
        leavePlace(start);
      },
    },
  ];
}
