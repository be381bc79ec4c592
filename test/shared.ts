import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = process.env.FORETOKEN_SHARED ?? "../shared";

/** Absolute path of a shared fixture; `FORETOKEN_SHARED` moves the folder, relative to the repository's root. */
export const shared = (path: string): string =>
  join(isAbsolute(folder) ? folder : resolve(root, folder), path);
