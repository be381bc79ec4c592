/** A node of a verified draft tree as it is drawn. */
export interface DraftNode {
  /** Index of the parent, -1 for the root. */
  readonly parent: number;
  /** Tokens behind the root. */
  readonly depth: number;
  readonly text: string;
  /** `root`: decided before; `accepted` and `rejected` drafts; `own`: the target's token behind the accepted path. */
  readonly fate: "root" | "accepted" | "rejected" | "own";
  /** Drafters that proposed it. */
  readonly sources: readonly string[];
}

/** What a pass tells about its tree. */
export interface VerifiedTree {
  /** Node 0 is the root. */
  readonly tree: readonly {
    readonly parent: number;
    readonly text: string;
    readonly sources: readonly string[];
  }[];
  /** Accepted nodes, in order. */
  readonly path: readonly number[];
  /** What each token of the pass added to the text. */
  readonly pieces: readonly string[];
}

/**
 * The nodes of a pass in the tree's order, and behind them the target's own token, when the pass emitted one.
 *
 * ```
 *   the ─┬─ cat ─── sat ─── on     accepted: cat, sat; own: on
 *        └─ dog                    rejected: dog
 * ```
 */
export function draftNodes({ tree, path, pieces }: VerifiedTree): readonly DraftNode[] {
  const accepted = new Set(path);
  const nodes: DraftNode[] = [];
  for (const [index, { parent, text, sources }] of tree.entries()) {
    const fate = index === 0 ? "root" : accepted.has(index) ? "accepted" : "rejected";
    nodes.push({ parent, depth: parent < 0 ? 0 : nodes[parent].depth + 1, text, fate, sources });
  }
  // The walk ends inside the path when an answer does; then there is no token of the target's own.
  if (nodes.length > 0 && pieces.length > path.length) {
    const parent = path.at(-1) ?? 0;
    const text = pieces[path.length];
    nodes.push({ parent, depth: nodes[parent].depth + 1, text, fate: "own", sources: [] });
  }
  return nodes;
}

/** Children of each node: what became text first, then in the tree's order. */
export function childrenOf(nodes: readonly DraftNode[]): readonly (readonly number[])[] {
  const children: number[][] = nodes.map(() => []);
  for (const [index, { parent }] of nodes.entries()) if (parent >= 0) children[parent].push(index);
  const isText = (index: number) => nodes[index].fate !== "rejected";
  for (const list of children) list.sort((a, b) => Number(isText(b)) - Number(isText(a)) || a - b);
  return children;
}

/** A node in words: `"cat", depth 1, by prompt-lookup, accepted`. */
export function describeNode({ text, depth, fate, sources }: DraftNode): string {
  if (fate === "root") return `${quoted(text)}, the root: decided before this pass`;
  if (fate === "own") return `${quoted(text)}, depth ${depth}, the target's own token`;
  return `${quoted(text)}, depth ${depth}, by ${sources.join(" and ")}, ${fate}`;
}

const quoted = (text: string) => `“${visibleText(text)}”`;

/** A token with its white space and control characters to be seen. */
export function visibleText(text: string): string {
  if (text === "") return "∅";
  return text
    .replace(/ /g, "·")
    .replace(/\n/g, "↵")
    .replace(/\t/g, "⇥")
    .replace(/[\p{Cc}\p{Cf}]/gu, "�");
}
