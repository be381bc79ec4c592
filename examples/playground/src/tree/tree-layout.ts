import { childrenOf, type DraftNode, visibleText } from "./draft-tree.ts";

/** A node's box, in SVG units. */
export interface NodeBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly label: string;
}

/** Where everything of a tree is drawn. */
export interface TreeLayout {
  readonly boxes: readonly NodeBox[];
  readonly width: number;
  readonly height: number;
}

export const BOX_HEIGHT = 24;
const ROW_HEIGHT = 32;
const COLUMN_GAP = 26;
const EDGE = 2;
const CHARACTER_WIDTH = 7.4;
const LONGEST_LABEL = 12;

/**
 * Lays a tree out from left to right, a column for each depth. A first child stands beside its parent, so that what
 * became text is the straight line on top.
 */
export function layOutTree(nodes: readonly DraftNode[]): TreeLayout {
  const children = childrenOf(nodes);
  const labels = nodes.map(({ text }) => shortened(visibleText(text)));
  const widths = labels.map((label) => Math.max(28, [...label].length * CHARACTER_WIDTH + 14));
  const columns: number[] = [];
  for (const [index, { depth }] of nodes.entries()) {
    columns[depth] = Math.max(columns[depth] ?? 0, widths[index]);
  }
  const lefts: number[] = [EDGE];
  for (const [depth, width] of columns.entries()) lefts[depth + 1] = lefts[depth] + width + COLUMN_GAP;

  const rows: number[] = [];
  let lastRow = -1;
  const place = (index: number, row: number): void => {
    rows[index] = row;
    lastRow = Math.max(lastRow, row);
    for (const [order, child] of children[index].entries()) place(child, order === 0 ? row : lastRow + 1);
  };
  if (nodes.length > 0) place(0, 0);

  return {
    boxes: nodes.map(({ depth }, index) => ({
      x: lefts[depth],
      y: EDGE + rows[index] * ROW_HEIGHT,
      width: widths[index],
      label: labels[index],
    })),
    width: lefts[columns.length] - COLUMN_GAP + EDGE,
    height: lastRow * ROW_HEIGHT + BOX_HEIGHT + 2 * EDGE,
  };
}

function shortened(label: string): string {
  const characters = [...label];
  return characters.length <= LONGEST_LABEL ? label : `${characters.slice(0, LONGEST_LABEL - 1).join("")}…`;
}
