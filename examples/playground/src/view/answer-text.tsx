import { useMemo } from "preact/hooks";
import type { Pass, Run } from "../run/run.ts";
import { sourceMark } from "../run/token-source.ts";
import { inspect, inspectedPass, inspectedRun } from "../state/inspection.ts";
import { drafterNames } from "../state/settings.ts";

/** An answer, each token marked by where it came from; a click looks at the token's pass. */
export function AnswerText({ run }: { readonly run: Run }) {
  const passes = run.passes.value;
  const chosen = inspectedRun.value === run ? inspectedPass.value : undefined;
  // The keyboard's way to a pass is the slider of the inspector: hundreds of tab stops would help nobody.
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <p
      class="answer-text"
      onClick={({ target }) => {
        const pass = (target as Element).closest<HTMLElement>("[data-pass]")?.dataset.pass;
        if (pass !== undefined) inspect(run, Number(pass));
      }}
    >
      {passes.map((pass, index) => (
        <PassText key={index} pass={pass} index={index} isChosen={chosen === index} />
      ))}
    </p>
  );
}

interface PassTextProps {
  readonly pass: Pass;
  readonly index: number;
  readonly isChosen: boolean;
}

function PassText({ pass, index, isChosen }: PassTextProps) {
  // Long answers have hundreds of passes, and only the newest is news.
  return useMemo(
    () => (
      <span class="pass" data-pass={index} data-chosen={isChosen || undefined}>
        {pass.pieces.map((piece, at) => {
          const { mark, name } = sourceMark(pass.sources[at], drafterNames);
          if (piece === "") return null;
          return mark === "own" ? (
            piece
          ) : (
            <span key={at} class="token" data-mark={mark} title={`drafted by ${name}`}>
              {piece}
            </span>
          );
        })}
      </span>
    ),
    [pass, index, isChosen],
  );
}
