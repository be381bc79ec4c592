import { type ChatMessage, DecodingError } from "@foretoken/core";
import { type JinjaProgram, jinjaProgram } from "./jinja-program.ts";

/** One turn as templates see it. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string;
}

/** How a template is rendered. */
export interface TemplateRendering {
  /** Whether the opening of an assistant turn follows the messages. */
  readonly addGenerationPrompt: boolean;
  /** Whether the text stops at the end of the last message's content, leaving its turn open. */
  readonly continueFinalMessage?: boolean;
  /** The clock of templates that write dates. */
  readonly now: Date;
  /** A character that occurs in no message; marks places in rendered texts. */
  readonly marker: string;
}

/** A model's own chat template, in Jinja. */
export interface ChatTemplate {
  readonly source: string;
  /**
   * @throws `DecodingError` `INVALID_MESSAGES` with message index, role and the template's own sentence;
   * `NO_CHAT_TEMPLATE` when the template itself cannot be read.
   */
  render(messages: readonly TemplateMessage[], rendering: TemplateRendering): string;
  /** The system text the template writes when `messages` bring none, or `undefined` when it writes none. */
  automaticSystem(messages: readonly TemplateMessage[], rendering: TemplateRendering): string | undefined;
  /** What the template writes behind the content of an assistant's turn, or `undefined` when it cannot tell. */
  turnEnd(): string | undefined;
}

/** A template's own words about why it refuses, without the engine's prefix. */
const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error)).trim();

/**
 * @param source - The Jinja source, as the model's file holds it.
 * @param variables - What templates may name besides the messages: `bos_token`, `eos_token`.
 */
export function chatTemplate(source: string, variables: Readonly<Record<string, string>>): ChatTemplate {
  let parsed: JinjaProgram | undefined;

  const program = (): JinjaProgram => {
    try {
      parsed ??= jinjaProgram(source);
      return parsed;
    } catch (cause) {
      throw new DecodingError("NO_CHAT_TEMPLATE", {
        message: `The model's chat template cannot be read: ${sentence(cause)}`,
        fix: "Give a prompt instead of messages, written the way this model expects it.",
        cause,
      });
    }
  };

  const attempt = (messages: readonly TemplateMessage[], addGenerationPrompt: boolean, now: Date): string =>
    program().run({ ...variables, messages, add_generation_prompt: addGenerationPrompt }, now);

  const failure = (messages: readonly TemplateMessage[], now: Date): string | undefined => {
    try {
      attempt(messages, false, now);
      return undefined;
    } catch (error) {
      return sentence(error);
    }
  };

  /**
   * A template says what it dislikes but not where. Shorter conversations tell: the culprit is the message
   * from which on every longer conversation is refused too.
   */
  const culprit = (messages: readonly TemplateMessage[], now: Date): number => {
    let index = messages.length - 1;
    while (index > 0 && failure(messages.slice(0, index), now) !== undefined) index--;
    return index;
  };

  const renderAll = (
    messages: readonly TemplateMessage[],
    addGenerationPrompt: boolean,
    now: Date,
  ): string => {
    program();
    try {
      return attempt(messages, addGenerationPrompt, now);
    } catch (cause) {
      const index = culprit(messages, now);
      throw new DecodingError("INVALID_MESSAGES", {
        message: `The model's chat template refuses messages[${index}] (role "${messages[index].role}"): ${sentence(cause)}`,
        fix: "Send the roles, and the order of roles, that this model's template understands.",
        cause,
      });
    }
  };

  const withMarkerAtEnd = (messages: readonly TemplateMessage[], marker: string): TemplateMessage[] =>
    messages.map((message, i) =>
      i === messages.length - 1 ? { ...message, content: message.content + marker } : message,
    );

  return {
    source,

    render(messages, { addGenerationPrompt, continueFinalMessage = false, now, marker }) {
      if (!continueFinalMessage) return renderAll(messages, addGenerationPrompt, now);
      const text = renderAll(withMarkerAtEnd(messages, marker), false, now);
      const end = text.lastIndexOf(marker);
      if (end < 0) {
        const index = messages.length - 1;
        throw new DecodingError("INVALID_MESSAGES", {
          message: `The model's chat template leaves out messages[${index}] (role "${messages[index].role}"), so it cannot be continued.`,
          fix: "Set continueFinalMessage to false, or end with a message the template writes.",
        });
      }
      // The marker can occur earlier when a template writes a message twice; only the last place is the end.
      return text.slice(0, end).replaceAll(marker, "");
    },

    automaticSystem(messages, { now, marker }) {
      if (messages.some(({ role }) => role === "system")) return undefined;
      let given: string;
      let without: string;
      try {
        given = attempt([{ role: "system", content: marker }, ...messages], false, now);
        without = attempt(messages, false, now);
      } catch {
        return undefined; // This model has no system role.
      }
      const [before, after] = given.split(marker);
      const length = without.length - before.length - (after?.length ?? Number.POSITIVE_INFINITY);
      if (length <= 0 || !without.startsWith(before) || !without.endsWith(after)) return undefined;
      return without.slice(before.length, before.length + length);
    },

    turnEnd() {
      const marker = "\u{f0000}";
      try {
        const messages = [
          { role: "user", content: "a" },
          { role: "assistant", content: marker },
        ];
        const text = attempt(messages, false, new Date(0));
        const start = text.lastIndexOf(marker);
        return start < 0 ? undefined : text.slice(start + marker.length);
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * Messages as templates can take them: content joined into one string.
 *
 * @throws `DecodingError` `INVALID_MESSAGES` naming index, role and what is wrong.
 */
export function templateMessages(messages: readonly ChatMessage[]): TemplateMessage[] {
  const fix = 'Send at least one message of the shape { role: "user", content: "text" }.';
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new DecodingError("INVALID_MESSAGES", {
      message: "A conversation needs at least one message.",
      fix,
    });
  }
  const refuse = (index: number, problem: string) =>
    new DecodingError("INVALID_MESSAGES", { message: `messages[${index}] ${problem}.`, fix });

  return messages.map((message: ChatMessage, index) => {
    if (typeof message?.role !== "string" || message.role === "") throw refuse(index, "has no role");
    const { role, content } = message;
    if (typeof content === "string") return { role, content };
    if (!Array.isArray(content)) {
      throw refuse(
        index,
        `(role "${role}") has ${content === null ? "null" : typeof content} as its content`,
      );
    }
    const parts = content.map((part, k) => {
      if (part?.type === "text" && typeof part.text === "string") return part.text;
      throw refuse(
        index,
        `(role "${role}") has a part ${k} of type "${part?.type}"; only text is understood`,
      );
    });
    return { role, content: parts.join("") };
  });
}
