import {
  openOriginFolder,
  originFolderMissing,
  readOriginText,
  writeOriginText,
} from "../sources/origin-folder.ts";
import type { Notes } from "./graph-store.ts";

/**
 * Notes in the browser's storage for the page's origin; forgotten where there is none.
 *
 * @param encoding - Names the weights as they run: a dtype, and what the device makes of it.
 */
export function originNotes(contentHash: string, encoding: string): Notes {
  const open = () => openOriginFolder("notes", `${contentHash.slice(0, 32)}-${encoding}`);
  // Names hold versions and adapters; files may not have all their characters.
  const fileOf = (name: string) => `${encodeURIComponent(name)}.json`;
  return {
    async recall(name) {
      try {
        return JSON.parse(await readOriginText(await open(), fileOf(name)));
      } catch {
        return undefined; // Never kept, damaged, or no storage: measure again.
      }
    },
    async keep(name, note) {
      if ((await originFolderMissing()) !== undefined) return;
      await writeOriginText(await open(), fileOf(name), JSON.stringify(note)).catch(() => {});
    },
  };
}
