import { useId, useState } from "preact/hooks";
import type { OptionControl, OptionField } from "../form/option-field.ts";
import { asPart, asParts, namesOf, newPart } from "../form/part-edit.ts";
import { PRESETS } from "../parts.ts";
import { registry } from "../state/settings.ts";
import { NumberInput } from "./number-input.tsx";
import { PartEditor } from "./part-editor.tsx";

interface OptionInputProps {
  readonly field: OptionField;
  readonly value: unknown;
  /** Gets `undefined` when the option is to be left out. */
  readonly onChange: (value: unknown) => void;
}

/** The control of one option of a part. */
export function OptionInput({ field, value, onChange }: OptionInputProps) {
  const { label, help, control, preset, isRequired } = field;
  switch (control.type) {
    case "number":
      return (
        <NumberInput
          {...control}
          label={label}
          help={help}
          value={typeof value === "number" ? value : undefined}
          preset={preset === undefined ? "default" : String(preset)}
          onChange={onChange}
        />
      );
    case "part":
      return (
        <PartEditor
          title={label}
          kind={control.kind}
          value={asPart(value)}
          isOptional={!isRequired}
          onChange={onChange}
        />
      );
    case "parts":
      return <PartList field={field} kind={control.kind} value={value} onChange={onChange} />;
    case "switch":
      return <Switch field={field} value={value} onChange={onChange} />;
    default:
      return <TextOption field={field} value={value} onChange={onChange} />;
  }
}

function Switch({ field, value, onChange }: OptionInputProps) {
  const id = useId();
  return (
    <div class="field field-switch">
      <input
        id={id}
        type="checkbox"
        checked={(value ?? field.preset) === true}
        aria-describedby={`${id}-help`}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <label for={id}>{field.label}</label>
      <small id={`${id}-help`}>{field.help}</small>
    </div>
  );
}

type KindOf<Control> = Control extends { readonly kind: infer Kind } ? Kind : never;

function PartList({
  field,
  kind,
  value,
  onChange,
}: OptionInputProps & { readonly kind: KindOf<OptionControl> }) {
  const parts = asParts(value);
  const used = new Set(parts.map(({ use }) => use));
  const unused = namesOf(registry, kind).filter((name) => !used.has(name));
  return (
    <fieldset class="part-list">
      <legend>{field.label}</legend>
      {parts.map((part, index) => (
        <PartEditor
          key={part.use}
          title={parts.length === 1 ? `The ${kind}` : `${kind} ${index + 1}`}
          kind={kind}
          value={part}
          isOptional={parts.length > 1}
          onChange={(changed) =>
            onChange(parts.flatMap((other, at) => (at === index ? (changed ?? []) : other)))
          }
        />
      ))}
      {unused.length > 0 && (
        <button
          type="button"
          class="quiet"
          onClick={() => onChange([...parts, newPart(registry, unused[0], PRESETS)])}
        >
          Add a {kind}
        </button>
      )}
    </fieldset>
  );
}

/** A text, one of several, or JSON. */
function TextOption({ field, value, onChange }: OptionInputProps) {
  const { label, help, control, preset } = field;
  const id = useId();
  const isJson = control.type === "json";
  const [draft, setDraft] = useState(
    value === undefined ? "" : isJson ? JSON.stringify(value) : String(value),
  );
  const [fault, setFault] = useState<string>();
  const read = (text: string) => {
    setDraft(text);
    try {
      onChange(text.trim() === "" ? undefined : isJson ? JSON.parse(text) : text);
      setFault(undefined);
    } catch {
      setFault("This is not JSON yet.");
    }
  };
  const described = [help !== undefined && `${id}-help`, fault !== undefined && `${id}-fault`];
  const common = { id, value: draft, "aria-describedby": described.filter(Boolean).join(" ") || undefined };
  return (
    <div class="field field-wide">
      <label for={id}>
        {label}
        {isJson && <span class="aside"> as JSON</span>}
      </label>
      {control.type === "choice" ? (
        <select {...common} onChange={({ currentTarget }) => read(currentTarget.value)}>
          <option value="">{preset === undefined ? "default" : String(preset)}</option>
          {control.values.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type="text"
          spellcheck={false}
          placeholder={preset === undefined ? "default" : JSON.stringify(preset)}
          aria-invalid={fault !== undefined}
          onInput={({ currentTarget }) => read(currentTarget.value)}
        />
      )}
      {help !== undefined && <small id={`${id}-help`}>{help}</small>}
      {fault !== undefined && (
        <small id={`${id}-fault`} class="fault">
          {fault}
        </small>
      )}
    </div>
  );
}
