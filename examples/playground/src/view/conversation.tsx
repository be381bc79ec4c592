import { useEffect, useRef } from "preact/hooks";
import { isOver, type Run } from "../run/run.ts";
import { type Turn, turns } from "../state/conversation.ts";
import { inspect, inspectedRun } from "../state/inspection.ts";
import { shownError } from "../state/shown-error.ts";
import { AnswerText } from "./answer-text.tsx";
import { Composer } from "./composer.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { counted } from "./format.ts";
import { SourceLegend } from "./source-legend.tsx";
import { SpokenAnswer } from "./spoken-answer.tsx";

/** All that was said, and where to say more. */
export function Conversation() {
  const section = useKeptInSight();
  return (
    <section ref={section} class="conversation" aria-labelledby="conversation-title">
      <h2 id="conversation-title" class="visually-hidden">
        Conversation
      </h2>
      <ol class="turns">
        {turns.value.map((turn, index) => (
          <TurnView key={index} turn={turn} />
        ))}
      </ol>
      <Composer />
      <SpokenAnswer />
    </section>
  );
}

/** Goes along with an answer that grows, unless the reader has scrolled up. */
function useKeptInSight() {
  const section = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  const length = turns.value.at(-1)?.run.passes.value.length;
  useEffect(() => {
    const scroller = section.current!.parentElement!;
    const look = () => {
      isAtEnd.current = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_THE_END;
    };
    scroller.addEventListener("scroll", look, { passive: true });
    return () => scroller.removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    const scroller = section.current!.parentElement!;
    if (isAtEnd.current) scroller.scrollTop = scroller.scrollHeight;
  }, [turns.value.length, length]);
  return section;
}

/** In pixels. */
const NEAR_THE_END = 80;

function TurnView({ turn: { question, run } }: { readonly turn: Turn }) {
  const status = run.status.value;
  return (
    <li class="turn">
      <h3>You</h3>
      <p class="question">{question}</p>
      <h3>Model</h3>
      <div class="answer" aria-busy={!isOver(run)}>
        <AnswerText run={run} />
        <Waiting run={run} />
        {status.is === "failed" && <ErrorNotice error={shownError(status.error)} />}
        <Summary run={run} />
        <SourceLegend run={run} />
      </div>
    </li>
  );
}

function Waiting({ run }: { readonly run: Run }) {
  const status = run.status.value;
  if (status.is === "waiting") return <p class="aside">Getting ready…</p>;
  if (status.is !== "reading") return null;
  return (
    <p class="aside">
      Reading the prompt, {status.loaded} of {counted(status.total, "token")}…
    </p>
  );
}

const ENDINGS = {
  end: "ended by itself",
  stop: "ended before the stop text",
  length: "ended after the most tokens asked for",
  context: "ended where the context is full",
  aborted: "stopped",
} as const;

function Summary({ run }: { readonly run: Run }) {
  const status = run.status.value;
  if (status.is !== "done") return null;
  const { report, usage, guarantee, finish } = status.generation;
  const readBack = report.bytesRead / usage.completionTokens;
  return (
    <div class="summary">
      <p>
        {counted(usage.completionTokens, "token")} in {counted(report.targetPasses, "pass", "passes")},{" "}
        {report.blockEfficiency.toFixed(2)} a pass,{" "}
        <strong>{report.tokensPerSecond.toFixed(1)} tokens/s</strong>, promise {guarantee.level};{" "}
        {ENDINGS[finish]}.{" "}
        {readBack > 0 && `${readBack.toFixed(0)} bytes a token came back from the device. `}
        {inspectedRun.value !== run && (
          <button type="button" class="quiet" onClick={() => inspect(run)}>
            Look at its passes
          </button>
        )}
      </p>
      {report.choices.length > 0 && (
        <details class="options">
          <summary>Why it drafted as much as it did</summary>
          <ul>
            {report.choices.map((choice) => (
              <li key={choice}>{choice}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
