import { DecodingError, definePlugin, type Model } from "@foretoken/core";
import { draftModel } from "./draft-model.ts";
import { isModel, jsonSchema, type LoadDraft } from "./options.ts";

/**
 * A draft model by name. In JSON, `model` names a loaded model among the composing program's resources, or what the
 * resource `loadModel` can load: a name of the catalog, a path.
 */
export const plugin = definePlugin({
  specification: "v1",
  kind: "source",
  name: "draft-model",
  summary: "Drafts with a smaller model that has the same tokenizer.",
  options: jsonSchema,
  create: ({ model }, { resources }) =>
    draftModel({ model: typeof model === "string" ? modelNamed(model, resources) : model }),
});

type LoadModel = (name: string, options: { readonly signal?: AbortSignal }) => Promise<Model>;

function modelNamed(name: string, resources: Readonly<Record<string, unknown>>): Model | LoadDraft {
  const { [name]: resource, loadModel } = resources;
  if (isModel(resource)) return resource;
  if (typeof loadModel === "function") return (options) => (loadModel as LoadModel)(name, options);
  throw new DecodingError("INVALID_OPTION", {
    message: `model of draft-model is "${name}", but the resources are: ${Object.keys(resources).join(", ") || "none"}.`,
    fix: `Compose with { resources: { "${name}": await loadModel("${name}") } }, or with { resources: { loadModel } } to have it loaded when it is needed.`,
  });
}
