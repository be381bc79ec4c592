import { type ChatMessage, hasCode } from "@foretoken/core";
import type { WorkerModel } from "@foretoken/runtime/worker";
import { computed, signal } from "@preact/signals";
import { followGeneration } from "../run/follow-generation.ts";
import { type GrowingRun, newRun, type Run, type RunRequest, textOf } from "../run/run.ts";
import { inspect } from "./inspection.ts";
import { giveUp, modelState } from "./model.ts";
import { decoder, sampling } from "./settings.ts";

/** A question and the run that answers it. */
export interface Turn {
  readonly question: string;
  readonly run: Run;
}

/** All turns, oldest first. */
export const turns = signal<readonly Turn[]>([]);

/** Whether something is being generated, by the chat or by a comparison. */
export const isBusy = signal(false);

/** Names the worker's session, so that a follow-up runs only what is new. */
let chat = 1;
let aborter = new AbortController();

/** Whether the newest answer can be gone on with. */
export const canAsk = computed(() => modelState.value.is === "ready" && !isBusy.value);

/** Asks the model, after all that was said before, and follows the answer to its end. */
export async function ask(question: string): Promise<void> {
  const state = modelState.value;
  if (state.is !== "ready" || isBusy.value) return;
  const said = turns.value.filter(({ run }) => run.status.value.is === "done").flatMap(messagesOf);
  const run = newRun(state.model.info, {
    messages: [...said, { role: "user", content: question }],
    decoder: decoder.value,
    sampling: sampling.value,
  });
  turns.value = [...turns.value, { question, run }];
  inspect(run);
  await perform(state.model, run, `chat-${chat}`);
}

/** Runs what a run asks for. One at a time: `isBusy` holds meanwhile, and {@link stop} ends it. */
export async function perform(model: WorkerModel, run: GrowingRun, conversation?: string): Promise<void> {
  aborter = new AbortController();
  isBusy.value = true;
  try {
    const { messages, decoder, sampling }: RunRequest = run.request;
    const { signal } = aborter;
    const generation = model.generate({ messages, decoder, ...sampling, chat: conversation, signal });
    await followGeneration(run, generation);
    const status = run.status.value;
    if (status.is !== "failed" || !hasCode(status.error, "WORKER_LOST", "DEVICE_LOST")) return;
    giveUp(status.error);
    await model.dispose();
  } finally {
    isBusy.value = false;
  }
}

/** Ends what is being generated; what was made stays. */
export function stop(): void {
  aborter.abort();
}

/** Forgets all turns. */
export async function newChat(): Promise<void> {
  const state = modelState.value;
  stop();
  turns.value = [];
  inspect(undefined);
  if (state.is === "ready") await state.model.endChat(`chat-${chat}`);
  chat++;
}

function messagesOf({ question, run }: Turn): readonly ChatMessage[] {
  return [
    { role: "user", content: question },
    { role: "assistant", content: textOf(run) },
  ];
}
