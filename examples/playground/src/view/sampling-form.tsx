import { SAMPLING_FIELDS } from "../run/sampling-settings.ts";
import { sampling } from "../state/settings.ts";
import { NumberInput } from "./number-input.tsx";

/** How tokens are drawn, and when an answer ends. */
export function SamplingForm() {
  return (
    <section aria-labelledby="sampling-title">
      <h2 id="sampling-title">Sampling</h2>
      <div class="fields">
        {SAMPLING_FIELDS.map(({ name, ...field }) => (
          <NumberInput
            key={name}
            {...field}
            most={field.most}
            value={sampling.value[name]}
            onChange={(value) => {
              sampling.value = { ...sampling.value, [name]: value };
            }}
          />
        ))}
        <div class="field field-wide">
          <label for="stop-text">Stop before</label>
          <input
            id="stop-text"
            type="text"
            placeholder="no text"
            value={sampling.value.stop?.[0] ?? ""}
            aria-describedby="stop-help"
            onInput={({ currentTarget: { value } }) => {
              sampling.value = { ...sampling.value, stop: value === "" ? undefined : [value] };
            }}
          />
          <small id="stop-help">The answer ends before the first place of this text.</small>
        </div>
      </div>
    </section>
  );
}
