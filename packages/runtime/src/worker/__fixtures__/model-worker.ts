import { serveModel } from "../serve-model.ts";

serveModel();
