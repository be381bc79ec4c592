import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { runJson } from "../run/run-json.ts";
import { runSnippet } from "../run/run-snippet.ts";
import { inspectedRun } from "../state/inspection.ts";
import { registry } from "../state/settings.ts";

/** Takes the run that is looked at along: as data, or as a program that does it again. */
export function CopyRun() {
  const id = useId();
  const said = useSignal("");
  /** What the clipboard refused, to be copied by hand. */
  const shown = useSignal<string | undefined>(undefined);
  const run = inspectedRun.value;
  const isDone = run?.status.value.is === "done";
  if (run === undefined) return null;
  const copy = async (what: string, text: string | undefined) => {
    if (text === undefined) return;
    try {
      await navigator.clipboard.writeText(text);
      said.value = `${what} is in the clipboard.`;
      shown.value = undefined;
    } catch {
      said.value = `The browser did not let the page write to the clipboard: here is the ${what} to copy.`;
      shown.value = text;
    }
  };
  return (
    <section aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>Take it along</h2>
      <div class="buttons">
        <button type="button" disabled={!isDone} onClick={() => copy("JSON", runJson(run))}>
          Copy as JSON
        </button>
        <button
          type="button"
          disabled={!isDone}
          onClick={() => copy("TypeScript", runSnippet(run, registry.list()))}
        >
          Copy as TypeScript
        </button>
      </div>
      <p class="aside" role="status">
        {said.value ||
          "The run that is looked at, with every pass; or a program for Node that does it again."}
      </p>
      {shown.value !== undefined && (
        <textarea class="code" rows={8} readOnly aria-label="The run, to copy" value={shown.value} />
      )}
    </section>
  );
}
