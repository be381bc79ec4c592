import { DecodingError, definePlugin } from "@foretoken/core";
import { namedSuccessors, type TableStore } from "@foretoken/drafting";
import { jsonSchema } from "./options.ts";
import { tokenRecycling } from "./token-recycling.ts";

/** Token recycling by name. In JSON, `store` names a `TableStore` among the composing program's resources, `start` one or a path. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "token-recycling",
  summary: "Drafts a tree from the candidates that earlier passes discarded.",
  guarantee: "identical",
  options: jsonSchema,
  create: ({ store, start, ...options }, { resources }) =>
    tokenRecycling({
      ...options,
      start: namedSuccessors(start, resources),
      store: typeof store === "string" ? storeNamed(store, resources) : store,
    }),
});

function storeNamed(name: string, resources: Readonly<Record<string, unknown>>): TableStore {
  const store = resources[name];
  if (store !== undefined) return store as TableStore;
  throw new DecodingError("INVALID_OPTION", {
    message: `store of token-recycling is "${name}", but the resources are: ${Object.keys(resources).join(", ") || "none"}.`,
    fix: `Compose with { resources: { "${name}": new TableStore() } }, or leave store out.`,
  });
}
