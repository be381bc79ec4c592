export { DraftRows, type DraftRowsOptions } from "./draft-rows.ts";
export { type FeatureHead, type HeadTensor, loadHead, readHead } from "./head-file.ts";
export { type HeadManifest, type HeadShape, headMisfit, readManifest } from "./head-manifest.ts";
export { ROOT_TIP, SiblingDraws, type Tip } from "./sibling-draws.ts";
export { type Growth, type SourceDrafterOptions, sourceDrafter } from "./source-drafter.ts";
export { loadTable, saveTable } from "./table-file.ts";
export { decodeTable, encodeTable, type TableOwner } from "./table-format.ts";
export { TableStore } from "./table-store.ts";
export { tableTree } from "./table-tree.ts";
export { TokenTable, type TokenTableOptions } from "./token-table.ts";
export {
  candidatesNeeded,
  cutTemplate,
  TEMPLATE_2_2_2,
  type TemplateNode,
  type TreeTemplate,
  treeTemplate,
} from "./tree-template.ts";
