import { useId } from "preact/hooks";

interface NumberInputProps {
  readonly label: string;
  readonly help: string | undefined;
  readonly value: number | undefined;
  /** Shown while there is no value. */
  readonly preset: string;
  readonly isWhole: boolean;
  readonly least?: number;
  readonly most?: number;
  /** Gets `undefined` when the field is emptied. */
  readonly onChange: (value: number | undefined) => void;
}

/** A number that may be left out. */
export function NumberInput({
  label,
  help,
  value,
  preset,
  isWhole,
  least,
  most,
  onChange,
}: NumberInputProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        inputMode={isWhole ? "numeric" : "decimal"}
        value={value ?? ""}
        placeholder={preset}
        min={least}
        max={most}
        step={isWhole ? 1 : "any"}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        onInput={({ currentTarget }) => {
          const { valueAsNumber } = currentTarget;
          onChange(Number.isNaN(valueAsNumber) ? undefined : valueAsNumber);
        }}
      />
      {help !== undefined && <small id={`${id}-help`}>{help}</small>}
    </div>
  );
}
