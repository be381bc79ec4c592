import type { ShownError } from "../state/shown-error.ts";

/** An error with its code and what the reader can do. */
export function ErrorNotice({ error }: { readonly error: ShownError }) {
  return (
    <div class="notice notice-error" role="alert">
      <p>
        <code>{error.code}</code> {error.message}
      </p>
      {error.fix !== undefined && <p class="fix">{error.fix}</p>}
    </div>
  );
}
