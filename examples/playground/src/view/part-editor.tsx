import type { PartJson, PartKind } from "@foretoken/core";
import { useId } from "preact/hooks";
import { optionFields } from "../form/option-field.ts";
import { namesOf, newPart, withOption } from "../form/part-edit.ts";
import { PRESETS } from "../parts.ts";
import { registry } from "../state/settings.ts";
import { OptionInput } from "./option-input.tsx";

interface PartEditorProps {
  readonly title: string;
  readonly kind: PartKind;
  readonly value: PartJson | undefined;
  /** Whether there may be no part at all. */
  readonly isOptional: boolean;
  readonly onChange: (value: PartJson | undefined) => void;
}

/** Chooses a part and its options, and the parts inside it; made from the registry alone. */
export function PartEditor({ title, kind, value, isOptional, onChange }: PartEditorProps) {
  const id = useId();
  const names = namesOf(registry, kind);
  // An option for which nothing is registered is no choice.
  if (isOptional && value === undefined && names.length === 0) return null;
  const described = names.includes(value?.use ?? "") ? registry.describe(value!.use) : undefined;
  const fields = optionFields(described?.options);
  const [inner, own] = [fields.filter(isPart), fields.filter((field) => !isPart(field))];
  const input = (field: (typeof fields)[number]) => (
    <OptionInput
      key={`${value!.use}.${field.name}`}
      field={field}
      value={value![field.name]}
      onChange={(changed) => onChange(withOption(value!, field.name, changed))}
    />
  );
  return (
    <div class="part">
      <div class="field field-wide">
        <label for={id}>{title.charAt(0).toUpperCase() + title.slice(1)}</label>
        <select
          id={id}
          value={value?.use ?? ""}
          aria-describedby={described?.summary === undefined ? undefined : `${id}-help`}
          onChange={({ currentTarget: { value: name } }) =>
            onChange(name === "" ? undefined : newPart(registry, name, PRESETS))
          }
        >
          {isOptional && <option value="">{value === undefined ? "default" : "none"}</option>}
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        {described?.summary !== undefined && <small id={`${id}-help`}>{described.summary}</small>}
      </div>
      {own.length > 0 && (
        <details class="options">
          <summary>
            Options of {value!.use}
            <Changed count={own.filter(({ name }) => value![name] !== undefined).length} />
          </summary>
          <div class="fields">{own.map(input)}</div>
        </details>
      )}
      {inner.length > 0 && <div class="inner-parts">{inner.map(input)}</div>}
    </div>
  );
}

function Changed({ count }: { readonly count: number }) {
  return count === 0 ? null : <span class="aside"> {count} changed</span>;
}

const isPart = ({ control }: ReturnType<typeof optionFields>[number]) =>
  control.type === "part" || control.type === "parts";
