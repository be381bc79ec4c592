/** How the page marks where a token came from. Underline styles differ, so that colour is never alone. */
export interface SourceMark {
  /** Number of the look; `own` for the target's own tokens, `several` for what several drafters proposed. */
  readonly mark: "own" | "several" | `${number}`;
  readonly name: string;
}

/** Looks there are for drafters; further ones share them. */
const LOOKS = 5;

/**
 * The mark of a token.
 *
 * @param sources - Who proposed it; empty for the target's own.
 * @param drafters - All drafters there are: a drafter looks the same in every run.
 */
export function sourceMark(sources: readonly string[], drafters: readonly string[]): SourceMark {
  if (sources.length === 0) return { mark: "own", name: "the target itself" };
  if (sources.length > 1) return { mark: "several", name: sources.join(" and ") };
  const index = Math.max(0, drafters.indexOf(sources[0]));
  return { mark: `${index % LOOKS}`, name: sources[0] };
}

/** Tokens of an answer by where they came from. */
export interface SourceShare extends SourceMark {
  readonly tokens: number;
}

/** Counts the tokens of passes by source: the target's own first, then drafters, then what several proposed. */
export function sourceShares(
  passes: readonly { readonly sources: readonly (readonly string[])[] }[],
  drafters: readonly string[],
): readonly SourceShare[] {
  const shares = new Map<string, SourceShare>();
  for (const sources of passes.flatMap((pass) => pass.sources)) {
    const mark = sourceMark(sources, drafters);
    shares.set(mark.name, { ...mark, tokens: (shares.get(mark.name)?.tokens ?? 0) + 1 });
  }
  const order = ({ mark }: SourceMark) => (mark === "own" ? -1 : mark === "several" ? LOOKS : Number(mark));
  return [...shares.values()].sort((a, b) => order(a) - order(b));
}
