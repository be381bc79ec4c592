import {
  DecodeEmitter,
  type Decoder,
  type Generation,
  type Model,
  type PartInput,
  type Registry,
  type Session,
  stream,
} from "@foretoken/core";
import type { ChatSessions } from "./chat-sessions.ts";
import type { WorkerEvent } from "./worker-events.ts";
import type { WorkerGenerateOptions } from "./worker-model.ts";

/** What generations of a worker share. */
export interface GenerationHost {
  readonly model: Model;
  readonly registry: Registry;
  readonly resources: Readonly<Record<string, unknown>>;
  readonly chats: ChatSessions;
}

/** Answers a page: builds the parts it names, keeps the session of its conversation, and tells what happens. */
export async function runGeneration(
  { model, registry, resources, chats }: GenerationHost,
  { decoder = "plain", processors, chat, ...options }: WorkerGenerateOptions,
  tell: (event: WorkerEvent) => void,
): Promise<Generation> {
  const { signal } = options;
  const build = () => registry.composeAsync("decoder", decoder as PartInput<"decoder">, { resources });
  const answer = async (session: Session | undefined, built: Decoder) => {
    const events = new DecodeEmitter();
    events.on("start", (event) => tell({ type: "start", ...event }));
    events.on("prefill", (event) => tell({ type: "prefill", ...event }));
    events.on("finish", (event) => tell({ type: "finish", ...event }));
    events.on("step", (event) => {
      const tree = event.tree.map((node) => ({ ...node, text: tokenText(model, node.token) }));
      tell({ type: "step", ...event, tree });
    });
    const building = processors?.map((part) => registry.composeAsync("processor", part, { resources }));
    const answers = stream(model, {
      ...options,
      decoder: built,
      session,
      events,
      processors: building && (await Promise.all(building)),
    });
    const text = model.tokenizer?.streamDecoder();
    for await (const chunk of answers) {
      const isRest = chunk.tokens.length === 0;
      const pieces = isRest ? [text?.flush() ?? ""] : chunk.tokens.map((token) => text?.push([token]) ?? "");
      tell({ type: "chunk", ...chunk, pieces });
    }
    return answers.result;
  };
  if (chat === undefined) return answer(undefined, await build());
  return chats.inTurn(chat, { key: JSON.stringify(decoder), build, signal }, answer);
}

function tokenText({ tokenizer }: Model, token: number): string {
  return tokenizer?.decode([token], { special: true }) ?? "";
}
