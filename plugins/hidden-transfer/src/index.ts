export { hiddenTransfer } from "./hidden-transfer.ts";
export type { HiddenTransferOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { loadTransferMaps, type TransferShape } from "./transfer-maps.ts";
