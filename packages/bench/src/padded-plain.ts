import { type Decoder, type Drafter, type Drafting, speculative, TokenTree } from "@foretoken/core";

/**
 * Plain decoding in passes of `rows` rows: every pass carries a chain of arbitrary tokens that hope for nothing. Its
 * text differs from plain's by the noise of the dtype alone, so it shows how often a decoder *may* differ.
 *
 * @param rows - At least 2.
 */
export function paddedPlain(rows: number): Decoder {
  const padding: Drafting = {
    propose: (root, limit) => {
      const length = Math.min(limit, rows - 1);
      return TokenTree.chain(
        root,
        Array.from({ length }, (_, i) => fillers[(root + i) % fillers.length]!),
        "padding",
      );
    },
    observe: () => {},
    fork: () => padding,
    truncate: () => {},
    dispose: () => {},
  };
  let fillers: readonly number[] = [];
  const drafter: Drafter = {
    name: "padding",
    proposal: "deterministic",
    defaultLimit: rows - 1,
    requirements: () => ({}),
    start: ({ model }) => {
      fillers = Array.from({ length: 97 }, (_, i) => (i * 7919 + 5) % model.vocabularySize);
      return padding;
    },
  };
  return { ...speculative({ drafters: drafter }), name: `plain padded to ${rows} rows` };
}
