import { type Drafter, parseOptions } from "@foretoken/core";
import { draftOptionsSchema, type LudDraftOptions } from "./options.ts";
import { sureDraft } from "./sure-draft.ts";

const NAME = "lud-draft";

/**
 * The guesses of {@link lud} as a draft: verified, and mergeable with other drafts. The text is the target's own.
 *
 * @throws `INVALID_OPTION`
 */
export function ludDraft(options: LudDraftOptions): Drafter {
  return sureDraft(parseOptions(NAME, draftOptionsSchema, options), { name: NAME, isVerified: true });
}
