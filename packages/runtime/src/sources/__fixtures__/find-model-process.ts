import { findModel } from "../find-model.ts";

/** One process that looks for a model: `node … NAME CATALOG`, cache and hub from the environment. */
const [, , name, catalog] = process.argv;
const found = await findModel(name, { catalog: new Map(JSON.parse(catalog)) });
console.log(found.path);
