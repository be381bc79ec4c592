import { useId, useRef } from "preact/hooks";
import { ask, canAsk, isBusy, newChat, stop, turns } from "../state/conversation.ts";

/** A first question that lets drafters show something: its answer repeats what the question says. */
const EXAMPLE = "Repeat this sentence three times: the rain in Spain stays mainly in the plain.";

/** Where questions are written. Enter asks, Shift and Enter begin a line. */
export function Composer() {
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  const send = () => {
    const question = input.current!.value.trim();
    if (question === "" || !canAsk.value) return;
    input.current!.value = "";
    ask(question);
  };
  const isFirst = turns.value.length === 0;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label for={id}>Your message</label>
      <textarea
        id={id}
        ref={input}
        rows={3}
        defaultValue={isFirst ? EXAMPLE : ""}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <div class="buttons">
        <button type="submit" class="primary" disabled={!canAsk.value}>
          Ask
        </button>
        <button type="button" disabled={!isBusy.value} onClick={stop}>
          Stop
        </button>
        <button type="button" class="quiet" disabled={isFirst} onClick={newChat}>
          New chat
        </button>
      </div>
    </form>
  );
}
