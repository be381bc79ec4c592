import { type Outcome, outcomeOf } from "../run/compare-runs.ts";
import type { Run } from "../run/run.ts";
import { compareWithPlain, comparison, isComparing, ROUNDS, stopComparing } from "../state/comparison.ts";
import { isBusy } from "../state/conversation.ts";
import { inspectedRun } from "../state/inspection.ts";
import { shownError } from "../state/shown-error.ts";
import { AnswerText } from "./answer-text.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { counted } from "./format.ts";

/** The chosen decoder and plain decoding at the same prompt, in turns. */
export function ComparisonView() {
  const run = inspectedRun.value;
  const rounds = comparison.value?.rounds ?? [];
  const newest = rounds.at(-1);
  const outcome = outcomeOf(rounds);
  return (
    <section aria-labelledby="comparison-title">
      <h2 id="comparison-title">Against plain decoding</h2>
      <p class="aside">
        Answers the prompt above {ROUNDS} times with each, in turns and with one seed, with the decoder as it
        is chosen now.
      </p>
      <div class="buttons">
        <button
          type="button"
          disabled={isBusy.value || run === undefined}
          onClick={() => run !== undefined && compareWithPlain(run)}
        >
          Compare
        </button>
        {isComparing.value && (
          <button type="button" onClick={stopComparing}>
            Stop
          </button>
        )}
      </div>
      {newest !== undefined && (
        <>
          <div class="side-by-side">
            <Side title="Plain" run={newest.plain} median={outcome?.plain} />
            <Side title="Chosen" run={newest.chosen} median={outcome?.chosen} />
          </div>
          <div role="status">{outcome !== undefined && <Verdict outcome={outcome} />}</div>
        </>
      )}
    </section>
  );
}

function Side({
  title,
  run,
  median,
}: {
  readonly title: string;
  readonly run: Run;
  readonly median?: number;
}) {
  const status = run.status.value;
  return (
    <div class="side">
      <h3>{title}</h3>
      <p class="speed">
        <strong>{median === undefined ? "–" : median.toFixed(1)}</strong> tokens/s
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section class="scroller answer-preview" tabIndex={0} aria-label={`Text of ${title}`}>
        <AnswerText run={run} />
      </section>
      {status.is === "failed" && <ErrorNotice error={shownError(status.error)} />}
    </div>
  );
}

function Verdict({ outcome }: { readonly outcome: Outcome }) {
  const { rounds, speedUp, isSameText, sharedTokens } = outcome;
  return (
    <p>
      <strong>{speedUp.toFixed(2)} times</strong> plain's speed, median of {counted(rounds, "round")}.{" "}
      {isSameText ? "Both texts are the same." : `The texts part after ${counted(sharedTokens, "token")}.`}
    </p>
  );
}
