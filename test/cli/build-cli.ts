import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";

const root = new URL("../../", import.meta.url);
const path = (relative: string) => fileURLToPath(new URL(relative, root));

/** A command line built from the sources. */
export interface BuiltCli {
  /** The script to run with Node. */
  readonly script: string;
  /** The script that `foretoken bench startup` and `memory` run in processes of their own. */
  readonly probe: string;
  /** Source files that are loaded before a command is known, relative to the repository, and packages by name. */
  readonly loadedAtOnce: readonly string[];
}

/**
 * Builds the command line from the sources, packages of the workspace included, into a folder from which other packages
 * resolve as they do for the published command.
 *
 * @param name - Name of the folder, so that test files which run at once do not share one.
 */
export async function buildCli(name: string): Promise<BuiltCli> {
  const outdir = path(`packages/cli/.test-build/${name}`);
  const { metafile } = await build({
    absWorkingDir: path("."),
    entryPoints: {
      main: path("packages/cli/src/main.ts"),
      "probe-process": path("packages/bench/src/probe-process.ts"),
    },
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    tsconfig: path("tsconfig.json"),
    metafile: true,
    logLevel: "error",
  });
  const main = Object.keys(metafile.outputs).find((file) => file.endsWith(`${name}/main.js`))!;
  return {
    script: `${outdir}/main.js`,
    probe: `${outdir}/probe-process.js`,
    loadedAtOnce: [...staticInputs(metafile, main)],
  };
}

/** Everything `output` imports with `import` statements, directly or not. */
function staticInputs({ outputs }: Metafile, output: string, seen = new Set<string>()): Set<string> {
  if (seen.has(output)) return seen;
  seen.add(output);
  const { inputs, imports } = outputs[output]!;
  for (const input of Object.keys(inputs)) seen.add(input);
  for (const { kind, path, external } of imports) {
    if (kind !== "import-statement") continue;
    if (external) seen.add(path);
    else staticInputs({ outputs } as Metafile, path, seen);
  }
  return seen;
}
