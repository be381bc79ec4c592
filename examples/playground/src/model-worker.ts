import { serveModel } from "@foretoken/runtime/worker";
import { HEADS, playgroundRegistry } from "./parts.ts";

/** The server lays them beside this script. The bundler would take an address from `import.meta.url` for one of its own files. */
const headFolders = HEADS.map((name) => [name, new URL(`heads/${name}/`, location.href)] as const);

serveModel({ registry: playgroundRegistry(), resources: Object.fromEntries(headFolders) });
