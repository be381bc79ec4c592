export { type BestFirstOptions, bestFirstTree } from "./best-first-tree.ts";
export { candidateTable } from "./candidate-table.ts";
export { type DeltaFile, readDeltas } from "./delta-file.ts";
export { draftLaw, orNoDraft } from "./draft-law.ts";
export { DraftRows, type DraftRowsOptions } from "./draft-rows.ts";
export {
  FEATURE_HEAD,
  type FeatureHead,
  type HeadShape,
  headShape,
  layerTensors,
  loadHead,
  readHead,
  vocabularyOf,
} from "./feature-head.ts";
export { GivenPart, namedPart, partSchema } from "./given-part.ts";
export { GivenSuccessors, isSuccessorTable, namedSuccessors } from "./given-successors.ts";
export { placeOf, readPartFile } from "./part-file.ts";
export { type PartManifest, type PartShape, partMisfit, readManifest } from "./part-manifest.ts";
export {
  type Guesses,
  type ProbeDrafterOptions,
  type ProbePlan,
  type ProbeShape,
  probeDrafter,
} from "./probe-drafter.ts";
export {
  bestProbeTrees,
  type ProbePlace,
  type ProbeTree,
  type ProbeTreeOptions,
  type ProbeTrees,
  probeTrees,
} from "./probe-trees.ts";
export { type RankPlace, type RankTree, rankTree } from "./rank-tree.ts";
export { SelfDraft, type SelfDraftOptions, selfDraftCost } from "./self-draft.ts";
export { sharedLength } from "./shared-length.ts";
export { ROOT_TIP, SiblingDraws, type Tip } from "./sibling-draws.ts";
export { type Growth, type SourceDrafterOptions, sourceDrafter } from "./source-drafter.ts";
export { type ModelPlanOptions, modelPlan, type StatePlanOptions, statePlan } from "./state-plan.ts";
export { SuccessorCounts, type SuccessorCountsOptions } from "./successor-counts.ts";
export { decodeSuccessors, encodeSuccessors } from "./successor-format.ts";
export { SuccessorOverlay, type SuccessorOverlayOptions } from "./successor-overlay.ts";
export {
  checkOwner,
  modelOwner,
  type OwningModel,
  type SuccessorOwner,
  textOwner,
} from "./successor-owner.ts";
export {
  pairKey,
  type SuccessorArrays,
  type SuccessorRow,
  type SuccessorShape,
  SuccessorTable,
  successorChance,
} from "./successor-table.ts";
export { loadSuccessors, loadTable, saveSuccessors, saveTable } from "./table-file.ts";
export { decodeTable, encodeTable, type TableOwner } from "./table-format.ts";
export { TableStore } from "./table-store.ts";
export { tableTree } from "./table-tree.ts";
export { TargetStates } from "./target-states.ts";
export { TokenTable, type TokenTableOptions } from "./token-table.ts";
export {
  corrupt,
  loadTrainedPart,
  type PartFormat,
  type PartTensor,
  readTrainedPart,
  type TensorForm,
  type TrainedPart,
} from "./trained-part.ts";
export {
  candidatesNeeded,
  cutTemplate,
  TEMPLATE_2_2_2,
  type TemplateNode,
  type TreeTemplate,
  treeTemplate,
} from "./tree-template.ts";
export { wholeVocabulary } from "./whole-vocabulary.ts";
