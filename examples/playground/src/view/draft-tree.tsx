import { useId, useState } from "preact/hooks";
import { sourceMark } from "../run/token-source.ts";
import { drafterNames } from "../state/settings.ts";
import { childrenOf, type DraftNode, describeNode } from "../tree/draft-tree.ts";
import { BOX_HEIGHT, layOutTree, type NodeBox } from "../tree/tree-layout.ts";

/**
 * A verified draft tree. One node at a time is in the tab order; arrow keys go to parent, first child and siblings. The
 * same tree follows as a list.
 */
export function DraftTree({ nodes }: { readonly nodes: readonly DraftNode[] }) {
  const id = useId();
  const [current, setCurrent] = useState(0);
  const { boxes, width, height } = layOutTree(nodes);
  const at = Math.min(current, nodes.length - 1);
  const children = childrenOf(nodes);
  const move = (event: KeyboardEvent) => {
    const target = neighbour(event.key, at, nodes, children);
    if (target === undefined) return;
    event.preventDefault();
    setCurrent(target);
    document.getElementById(`${id}-${target}`)?.focus();
  };
  return (
    <figure class="draft-tree">
      <div
        class="scroller"
        role="tree"
        tabindex={-1}
        aria-label="Draft tree; arrow keys move between nodes"
        onKeyDown={move}
      >
        <svg role="presentation" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          {nodes.map(
            (node, index) =>
              node.parent >= 0 && (
                <path
                  key={index}
                  class="edge"
                  data-fate={node.fate}
                  d={edge(boxes[node.parent], boxes[index])}
                />
              ),
          )}
          {nodes.map((node, index) => (
            <g
              key={index}
              id={`${id}-${index}`}
              role="treeitem"
              aria-level={node.depth + 1}
              aria-selected={index === at}
              class="node"
              data-fate={node.fate}
              data-mark={sourceMark(node.sources, drafterNames).mark}
              aria-label={describeNode(node)}
              tabindex={index === at ? 0 : -1}
              onFocus={() => setCurrent(index)}
            >
              <title>{describeNode(node)}</title>
              <Node node={node} box={boxes[index]} />
            </g>
          ))}
        </svg>
      </div>
      <figcaption>
        <span class="key" data-fate="accepted">
          ✓ accepted
        </span>
        <span class="key" data-fate="rejected">
          ✕ rejected
        </span>
        <span class="key" data-fate="own">
          the target's own
        </span>
      </figcaption>
      <details class="options">
        <summary>As a list</summary>
        <Branch nodes={nodes} branches={children} index={0} />
      </details>
    </figure>
  );
}

const SIGNS = { root: "", own: "", accepted: "✓", rejected: "✕" } as const;

function Node({
  node: { fate },
  box: { x, y, width, label },
}: {
  readonly node: DraftNode;
  readonly box: NodeBox;
}) {
  return (
    <>
      <rect x={x} y={y} width={width} height={BOX_HEIGHT} rx={3} />
      <text x={x + 7} y={y + BOX_HEIGHT / 2 + 4}>
        {label}
      </text>
      {/* Who proposed it, as in the answer: a line below the token. */}
      <line class="source" x1={x + 5} x2={x + width - 5} y1={y + BOX_HEIGHT - 3} y2={y + BOX_HEIGHT - 3} />
      <text class="sign" x={x + width - 2} y={y + 8}>
        {SIGNS[fate]}
      </text>
    </>
  );
}

function edge(parent: NodeBox, child: NodeBox): string {
  const [x1, y1] = [parent.x + parent.width, parent.y + BOX_HEIGHT / 2];
  const [x2, y2] = [child.x, child.y + BOX_HEIGHT / 2];
  return `M ${x1} ${y1} C ${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
}

function neighbour(
  key: string,
  at: number,
  nodes: readonly DraftNode[],
  children: ReturnType<typeof childrenOf>,
): number | undefined {
  const { parent } = nodes[at];
  const siblings = parent < 0 ? [at] : children[parent];
  switch (key) {
    case "ArrowLeft":
      return parent < 0 ? undefined : parent;
    case "ArrowRight":
      return children[at][0];
    case "ArrowUp":
      return siblings[siblings.indexOf(at) - 1];
    case "ArrowDown":
      return siblings[siblings.indexOf(at) + 1];
    case "Home":
      return 0;
    default:
      return undefined;
  }
}

interface BranchProps {
  readonly nodes: readonly DraftNode[];
  readonly branches: ReturnType<typeof childrenOf>;
  readonly index: number;
}

/** A node and what is behind it; a chain stays one flat list, only forks go deeper. */
function Branch({ nodes, branches, index }: BranchProps) {
  const chain = [index];
  while (branches[chain.at(-1)!].length === 1) chain.push(branches[chain.at(-1)!][0]);
  const forks = branches[chain.at(-1)!];
  return (
    <ul>
      {chain.map((node) => (
        <li key={node}>{describeNode(nodes[node])}</li>
      ))}
      {forks.map((fork) => (
        <li key={fork} class="fork">
          <Branch nodes={nodes} branches={branches} index={fork} />
        </li>
      ))}
    </ul>
  );
}
