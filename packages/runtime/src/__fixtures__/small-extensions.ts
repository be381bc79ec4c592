import type { GraphExtension } from "../graph/graph-extension.ts";

/** Rows with `copy.on` become what an ancestor of theirs is. */
export function copies(width: number, site: GraphExtension["site"]): GraphExtension {
  return {
    name: `copy.${JSON.stringify(site)}`,
    site,
    rowIntegers: ["copy.on"],
    rowAncestors: ["copy.source"],
    isOnDemand: true,
    build(graph, stream) {
      const table = graph.constant("copy.masks", "float32", [2, 1], Float32Array.of(0, 1));
      const isCopy = graph.node("Greater", [
        graph.node("Gather", [table, "copy.on"]),
        graph.constant("copy.half", "float32", [], Float32Array.of(0.5)),
      ]);
      const gathered = graph.node("Gather", [stream, "copy.source"], { attributes: { axis: 1n } });
      const sources = graph.node("Reshape", [gathered, graph.integers([1, -1, width])]);
      return graph.node("Where", [isCopy, sources, stream]);
    },
  };
}

/** Adds the vectors that rows bring to their embeddings. */
export function adds(width: number): GraphExtension {
  return {
    name: "add",
    site: { after: 0 },
    rowVectors: { "add.vector": width },
    build: (graph, stream) => graph.node("Add", [stream, "add.vector"]),
  };
}
