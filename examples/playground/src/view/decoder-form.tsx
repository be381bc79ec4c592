import type { PartJson } from "@foretoken/core";
import { useId, useState } from "preact/hooks";
import { asPart } from "../form/part-edit.ts";
import { decoder, verdict } from "../state/settings.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { PartEditor } from "./part-editor.tsx";

/** Chooses how answers are decoded. */
export function DecoderForm() {
  const outcome = verdict.value;
  return (
    <section aria-labelledby="decoder-title">
      <h2 id="decoder-title">Decoder</h2>
      <PartEditor
        title="Decoder"
        kind="decoder"
        value={decoder.value}
        isOptional={false}
        onChange={(changed) => {
          if (changed !== undefined) decoder.value = changed;
        }}
      />
      {"error" in outcome ? (
        <ErrorNotice error={outcome.error} />
      ) : (
        <p class="promise" aria-live="polite">
          Promise: <strong>{outcome.level}</strong>, {PROMISE[outcome.level]}
        </p>
      )}
      <DecoderJson />
    </section>
  );
}

const PROMISE = {
  identical: "the text that plain decoding gives with the same seed.",
  distribution: "every text as probable as with plain decoding.",
  altered: "another text than plain decoding's, on purpose.",
} as const;

/** The decoder as the library takes it; may be written by hand. */
function DecoderJson() {
  const id = useId();
  const [draft, setDraft] = useState<string>();
  const shown = draft ?? JSON.stringify(decoder.value, null, 2);
  const read = (text: string) => {
    const part = parsed(text);
    setDraft(part === undefined ? text : undefined);
    if (part !== undefined) decoder.value = part;
  };
  return (
    <details class="options">
      <summary>As JSON</summary>
      <label class="visually-hidden" for={id}>
        Decoder as JSON
      </label>
      <textarea
        id={id}
        class="code"
        rows={Math.min(14, shown.split("\n").length)}
        spellcheck={false}
        value={shown}
        aria-invalid={draft !== undefined}
        onChange={({ currentTarget }) => read(currentTarget.value)}
      />
      {draft !== undefined && (
        <small class="fault">
          This is no part: give an object with a name in “use”. The form keeps the last one.
        </small>
      )}
    </details>
  );
}

function parsed(text: string): PartJson | undefined {
  try {
    return asPart(JSON.parse(text));
  } catch {
    return undefined;
  }
}
