import type { Run } from "../run/run.ts";
import { sourceShares } from "../run/token-source.ts";
import { drafterNames } from "../state/settings.ts";

/** What the marks in an answer mean, and how many tokens have each. */
export function SourceLegend({ run }: { readonly run: Run }) {
  const passes = run.passes.value;
  const total = passes.reduce((sum, { tokens }) => sum + tokens.length, 0);
  if (total === 0) return null;
  return (
    <ul class="legend" aria-label="Tokens by where they came from">
      {sourceShares(passes, drafterNames).map(({ mark, name, tokens }) => (
        <li key={name}>
          <span class="token" data-mark={mark}>
            {name}
          </span>{" "}
          {tokens}
          <span class="aside"> · {Math.round((100 * tokens) / total)} %</span>
        </li>
      ))}
    </ul>
  );
}
