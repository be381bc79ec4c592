import { acceptanceOf } from "../run/acceptance.ts";
import { inspectedRun } from "../state/inspection.ts";

/** How often a draft was accepted, by how far it lay behind the root. */
export function AcceptanceTable() {
  const depths = acceptanceOf(inspectedRun.value?.passes.value ?? []);
  return (
    <section aria-labelledby="acceptance-title">
      <h2 id="acceptance-title">Acceptance by depth</h2>
      {depths.length === 0 ? (
        <p class="aside">Nothing has been drafted yet.</p>
      ) : (
        <table class="acceptance">
          <thead>
            <tr>
              <th scope="col">Depth</th>
              <th scope="col">Accepted</th>
              <th scope="col">Share of passes that drafted so deep</th>
            </tr>
          </thead>
          <tbody>
            {depths.map(({ depth, offered, accepted }) => {
              const share = Math.round((100 * accepted) / offered);
              return (
                <tr key={depth}>
                  <th scope="row">{depth}</th>
                  <td>
                    {accepted} of {offered}
                  </td>
                  <td>
                    <span class="bar" style={{ inlineSize: `${share * 0.7}%` }} />
                    {share} %
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}
