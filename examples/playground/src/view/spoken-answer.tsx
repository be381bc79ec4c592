import { useEffect, useRef, useState } from "preact/hooks";
import { isOver, textOf } from "../run/run.ts";
import { turns } from "../state/conversation.ts";
import { shownError } from "../state/shown-error.ts";

/**
 * The newest answer for screen readers: a live region that gets whole sentences, because single tokens would be cut off by
 * the ones behind them.
 */
export function SpokenAnswer() {
  const run = turns.value.at(-1)?.run;
  const text = run === undefined ? "" : textOf(run);
  const status = run?.status.value;
  const isFinished = run !== undefined && isOver(run);
  const spoken = useRef({ run, length: 0 });
  const [news, setNews] = useState("");
  useEffect(() => {
    if (spoken.current.run !== run) spoken.current = { run, length: 0 };
    const rest = text.slice(spoken.current.length);
    const length = isFinished ? rest.length : endOfSentences(rest);
    const ending =
      status?.is === "failed" ? ` ${shownError(status.error).message}` : isFinished ? " End of answer." : "";
    if (length === 0 && ending === "") return;
    spoken.current = { run, length: spoken.current.length + length };
    setNews(rest.slice(0, length) + ending);
  }, [run, text, isFinished]);
  return (
    <p class="visually-hidden" role="log" aria-live="polite" aria-label="Newest answer">
      {news}
    </p>
  );
}

/** Characters up to the last end of a sentence or line. */
function endOfSentences(text: string): number {
  const ends = [...text.matchAll(/[.!?:](?=\s)|\n/g)];
  return ends.length === 0 ? 0 : ends.at(-1)!.index + 1;
}
