import { serveModel } from "@foretoken/runtime/worker";
import { HEADS, playgroundRegistry } from "./parts.ts";

/** The server lays them beside this script. */
const headFolders = HEADS.map((name) => [name, new URL(`heads/${name}/`, import.meta.url)] as const);

serveModel({ registry: playgroundRegistry(), resources: Object.fromEntries(headFolders) });
