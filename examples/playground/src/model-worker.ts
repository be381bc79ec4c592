import { serveModel } from "@foretoken/runtime/worker";
import { playgroundRegistry } from "./parts.ts";

serveModel({ registry: playgroundRegistry() });
