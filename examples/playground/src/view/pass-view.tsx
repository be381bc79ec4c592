import { useId } from "preact/hooks";
import type { Pass } from "../run/run.ts";
import { inspect, inspectedPass, inspectedRun } from "../state/inspection.ts";
import { draftNodes, visibleText } from "../tree/draft-tree.ts";
import { DraftTree } from "./draft-tree.tsx";
import { counted, milliseconds } from "./format.ts";

/** One pass of the run that is looked at: what was drafted, what became text, what it cost. */
export function PassView() {
  const id = useId();
  const run = inspectedRun.value;
  const index = inspectedPass.value;
  const passes = run?.passes.value ?? [];
  const pass = index === undefined ? undefined : passes[index];
  return (
    <section aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>Pass</h2>
      {run === undefined || index === undefined || pass === undefined ? (
        <p class="aside">
          A pass is one run of the model over the newest token and what was drafted behind it. Ask something,
          then choose a pass here or click into the answer.
        </p>
      ) : (
        <>
          <div class="pass-slider">
            <label for={`${id}-slider`}>
              {index + 1} of {passes.length}
            </label>
            <input
              id={`${id}-slider`}
              type="range"
              min={1}
              max={passes.length}
              value={index + 1}
              aria-valuetext={`Pass ${index + 1} of ${passes.length}: ${inShort(pass)}`}
              onInput={({ currentTarget }) => inspect(run, currentTarget.valueAsNumber - 1)}
            />
          </div>
          <PassFacts pass={pass} />
        </>
      )}
    </section>
  );
}

function inShort({ pieces, step }: Pass): string {
  const text = `gave “${pieces.join("")}”`;
  return step === undefined
    ? `end of the prompt, ${text}`
    : `${step.accepted} of ${step.drafted} drafted accepted, ${text}`;
}

function PassFacts({ pass: { step, pieces } }: { readonly pass: Pass }) {
  if (step === undefined) {
    return (
      <p>
        The last pass over the prompt gave the first token, <q>{visibleText(pieces.join(""))}</q>.
      </p>
    );
  }
  const { drafted, accepted, rows, times, bySource, tree } = step;
  const nodes = draftNodes({ ...step, pieces });
  return (
    <>
      <p>
        {drafted === 0 ? (
          <>Nothing was drafted: the pass gave the target's own token.</>
        ) : (
          <>
            {counted(drafted, "token")} drafted, <strong>{accepted} accepted</strong>; {counted(rows, "row")}{" "}
            in the pass.
          </>
        )}
      </p>
      {tree.length > 1 && <DraftTree nodes={nodes} />}
      <dl class="facts">
        {Object.entries(bySource).map(([source, count]) => (
          <Fact key={source} term={source} text={`${count.accepted} of ${count.drafted} accepted`} />
        ))}
        <Fact
          term="time"
          text={`pass ${milliseconds(times.passMs)}, drafting ${milliseconds(times.draftMs)}, verifying ${milliseconds(times.verifyMs)}`}
        />
      </dl>
    </>
  );
}

function Fact({ term, text }: { readonly term: string; readonly text: string }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{text}</dd>
    </>
  );
}
