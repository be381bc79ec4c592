import { modelState } from "../state/model.ts";
import { AcceptanceTable } from "./acceptance-table.tsx";
import { ComparisonView } from "./comparison-view.tsx";
import { CopyRun } from "./copy-run.tsx";
import { CostView } from "./cost-view.tsx";
import { PassView } from "./pass-view.tsx";

/** What there is to see about the run that is looked at. */
export function Inspector() {
  const state = modelState.value;
  return (
    <aside class="inspector" aria-label="What decoding did">
      <PassView />
      <AcceptanceTable />
      {state.is === "ready" && <ComparisonView />}
      {state.is === "ready" && <CostView />}
      <CopyRun />
    </aside>
  );
}
