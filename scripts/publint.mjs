/** Runs publint on every package that is published. They must be built. */
import { readdirSync, readFileSync } from "node:fs";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/** The runtime keeps Node's packages out of browser bundles by name; its own entry is the same everywhere. */
const KNOWN = new Set(["USE_EXPORTS_OR_IMPORTS_BROWSER"]);

let faults = 0;
for (const folder of ["packages", "plugins"].flatMap((parent) =>
  readdirSync(parent).map((name) => `${parent}/${name}`),
)) {
  const pkg = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  if (pkg.private) continue;
  const found = await publint({ pkgDir: folder, strict: true, pack: false });
  const messages = found.messages.filter(({ code }) => !KNOWN.has(code));
  for (const message of messages) console.error(`${pkg.name}: ${formatMessage(message, pkg)}`);
  faults += messages.length;
}
console.log(faults === 0 ? "publint found nothing." : `publint found ${faults} faults.`);
process.exitCode = faults === 0 ? 0 : 1;
