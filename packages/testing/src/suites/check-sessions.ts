import { generate, stream } from "@foretoken/core";
import { expect } from "vitest";
import type { Check } from "./check.ts";
import { type DecoderBench, outcome } from "./decoder-bench.ts";
import { looping } from "./suite-scripts.ts";

const PROMPT = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5];
const OPTIONS = { prompt: PROMPT, maxTokens: 16, temperature: 0.8, seed: 2 };

/** What stays in a session between answers, and what several answers share. */
export function sessionChecks(bench: DecoderBench): Check[] {
  return [
    {
      name: "nothing is left behind: no session, no slot, no pending row",
      run: async () => {
        const model = bench.model(looping);
        for (const seed of [1, 2, 3])
          await generate(model, { ...OPTIONS, seed, decoder: bench.decoder(model) });
        expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
      },
    },
    {
      name: "a given session holds the prompt and all tokens but the last",
      run: async () => {
        for (const endTokens of [[], [3]]) {
          const model = bench.model({ ...looping, tokenizer: { endTokens } });
          const decoder = bench.decoder(model);
          for (let seed = 0; seed < 12; seed++) {
            const session = model.createSession();
            const options = {
              ...OPTIONS,
              temperature: seed % 2,
              seed,
              maxTokens: 4 + seed,
              session,
              decoder,
            };
            const { tokens } = await generate(model, options);
            expect(session.tokens).toEqual([...PROMPT, ...tokens.slice(0, -1)]);
            expect(session.pendingCount).toBe(0);
            session.dispose();
            expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
          }
        }
      },
    },
    {
      name: "B1: the same prompt again recomputes one row and gives the same text",
      run: async () => {
        const model = bench.model(looping);
        const session = model.createSession();
        const decoder = bench.decoder(model);
        const fresh = await generate(model, { ...OPTIONS, decoder });
        for (let turn = 0; turn < 3; turn++) {
          const again = await generate(model, { ...OPTIONS, session, decoder });
          if (bench.level === "identical") expect(outcome(again)).toEqual(outcome(fresh));
          expect(again.usage.cachedTokens).toBe(turn === 0 ? 0 : PROMPT.length - 1);
        }
        for (const prompt of [PROMPT.slice(0, 4), PROMPT.slice(0, 1), [5, 5], PROMPT]) {
          const options = { ...OPTIONS, prompt, decoder };
          const [kept, alone] = [
            await generate(model, { ...options, session }),
            await generate(model, options),
          ];
          if (bench.level === "identical") expect(outcome(kept)).toEqual(outcome(alone));
          expect(kept.usage.cachedTokens).toBeLessThan(prompt.length);
        }
      },
    },
    {
      name: "prefill in chunks gives the same text",
      run: async () => {
        const whole = await bench.once(looping, OPTIONS);
        for (const prefillChunk of [1, 2, 5]) {
          const chunked = await bench.once(looping, { ...OPTIONS, prefillChunk });
          if (bench.level === "identical") expect(outcome(chunked)).toEqual(outcome(whole));
          else expect(chunked.tokens).toHaveLength(whole.tokens.length);
        }
      },
    },
    {
      name: "E2: answers made at the same time on one model are those made alone",
      run: async () => {
        const model = bench.model(looping);
        const decoder = bench.decoder(model);
        const jobs = [0, 1, 2, 3, 4, 5].map((seed) => ({
          ...OPTIONS,
          seed,
          prompt: [...PROMPT, seed],
          decoder,
        }));
        const alone = [];
        for (const job of jobs) {
          const own = bench.model(looping);
          alone.push(outcome(await generate(own, { ...job, decoder: bench.decoder(own) })));
        }
        const together = await Promise.all(jobs.map((job) => generate(model, job)));
        expect(together.map(outcome)).toEqual(alone);
        expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0 });
      },
    },
    {
      name: "E2: a second answer on a busy session is refused, and the first goes on",
      run: async () => {
        const model = bench.model(looping);
        const session = model.createSession();
        const options = { ...OPTIONS, session, decoder: bench.decoder(model) };
        const first = generate(model, options);
        await expect(generate(model, options)).rejects.toMatchObject({ code: "SESSION_BUSY" });
        expect((await first).tokens).toHaveLength(OPTIONS.maxTokens);
      },
    },
    {
      name: "E1: a reader that leaves a stream frees the session, and the text can go on",
      run: async () => {
        const model = bench.model(looping);
        const session = model.createSession();
        const options = { ...OPTIONS, session, decoder: bench.decoder(model) };
        const answer = stream(model, options);
        let seen = 0;
        for await (const { tokens } of answer) {
          seen += tokens.length;
          if (seen > 3) break;
        }
        const partial = await answer.result;
        expect([partial.finish, partial.tokens.length]).toEqual(["aborted", seen]);
        expect(session.pendingCount).toBe(0);
        const whole = await generate(model, options);
        if (bench.level === "identical") expect(whole.tokens.slice(0, seen)).toEqual(partial.tokens);
        expect(whole.tokens).toHaveLength(OPTIONS.maxTokens);
      },
    },
  ];
}
