import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { calibrate } from "../state/calibration.ts";
import { isBusy } from "../state/conversation.ts";
import { modelInfo } from "../state/model.ts";
import { type ShownError, shownError } from "../state/shown-error.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { LineChart } from "./line-chart.tsx";

/** What a pass costs by its rows: what a draft of so many tokens must gain. */
export function CostView() {
  const cost = modelInfo.value!.cost;
  const error = useSignal<ShownError | undefined>(undefined);
  const isMeasuring = useSignal(false);
  const measure = async () => {
    isMeasuring.value = true;
    error.value = undefined;
    try {
      await calibrate();
    } catch (fault) {
      error.value = shownError(fault);
    }
    isMeasuring.value = false;
  };
  const { rows, contexts, ms } = cost.table;
  const shown = useMemo(() => spread(contexts.length), [contexts.length]);
  const lines = useMemo(
    () =>
      shown.map((context, order) => ({
        label: `${contexts[context]} tokens of text`,
        values: ms[context],
        dash: DASHES[order],
      })),
    [cost],
  );
  return (
    <section aria-labelledby="cost-title">
      <h2 id="cost-title">Cost of a pass</h2>
      <p class="aside">
        {cost.isMeasured ? "Measured on this machine." : "Assumed, not measured on this machine."} A pass that
        verifies a draft of n tokens has n + 1 rows.
      </p>
      <LineChart
        label="Milliseconds of a pass by its rows; the table below has the numbers."
        x={rows}
        xLabel="rows"
        yLabel="ms"
        lines={lines}
      />
      <details class="options">
        <summary>As a table</summary>
        <div class="scroller">
          <table>
            <thead>
              <tr>
                <th scope="col">Rows</th>
                {shown.map((context) => (
                  <th scope="col" key={context}>
                    {contexts[context]} tokens
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((count, row) => (
                <tr key={count}>
                  <th scope="row">{count}</th>
                  {shown.map((context) => (
                    <td key={context}>{ms[context][row].toFixed(1)} ms</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
      {error.value !== undefined && <ErrorNotice error={error.value} />}
      <button type="button" disabled={isBusy.value} onClick={measure}>
        {isMeasuring.value ? "Measuring…" : "Calibrate"}
      </button>
    </section>
  );
}

const DASHES = [undefined, [6, 4], [2, 3]] as const;

/** At most three of the contexts: the first, the middle, the last. */
function spread(count: number): readonly number[] {
  return [...new Set([0, Math.floor((count - 1) / 2), count - 1])];
}
