import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const readJson = (path: string) => JSON.parse(read(path));
const foldersIn = (parent: string) =>
  readdirSync(join(root, parent))
    .filter((name) => existsSync(join(root, parent, name, "package.json")))
    .map((name) => `${parent}/${name}`);

const packages = foldersIn("packages");
const plugins = foldersIn("plugins");
const strategies = plugins.map((folder) => basename(folder));

/** TypeScript files of a package that are published: no tests, fixtures or type tests. */
function sourcesOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/\.test(-d)?\.ts$|__fixtures__/.test(file))
    .map((file) => join(folder, "src", file));
}

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

/** Every module a file names, in static and dynamic imports. */
function importsOf(file: string): readonly Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) {
        const isTypeOnly = ts.isImportDeclaration(node)
          ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
          : node.isTypeOnly;
        found.push({ file, specifier: (node.moduleSpecifier as ts.StringLiteral).text, isTypeOnly });
      }
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteralLike(argument)) {
        found.push({ file, specifier: argument.text, isTypeOnly: false });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

const parse = (file: string) => ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest);

/** `@scope/name/deep` and `name/deep` without what follows the name. */
const packageOf = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

const bareImportsOf = (folder: string) =>
  sourcesOf(folder)
    .flatMap(importsOf)
    .filter(({ specifier }) => !specifier.startsWith(".") && !specifier.startsWith("node:"));

describe.each([...packages, ...plugins])("%s", (folder) => {
  const manifest = readJson(`${folder}/package.json`);

  test("is named after its folder and says what it is", () => {
    expect(manifest.name).toBe(folder === "packages/cli" ? "foretoken" : `@foretoken/${basename(folder)}`);
    expect(manifest.description).toMatch(/\.$/);
    expect(manifest.keywords).toContain("foretoken");
    expect(existsSync(join(root, folder, "README.md"))).toBe(true);
  });

  test("is ESM under Apache-2.0 and publishes what it builds", () => {
    expect(manifest).toMatchObject({
      license: "Apache-2.0",
      type: "module",
      files: expect.arrayContaining(["dist"]),
      engines: { node: ">=20.20" },
      scripts: { build: "tsup" },
    });
    for (const target of Object.values<Record<string, string>>(manifest.exports ?? {})) {
      expect(Object.keys(target)).toEqual(["types", "import"]);
      expect(
        existsSync(join(root, folder, target.import!.replace("./dist/", "src/").replace(/\.js$/, ".ts"))),
      ).toBe(true);
      expect(target.types).toBe(target.import!.replace(/\.js$/, ".d.ts"));
    }
  });

  test("takes its tool settings from the root", () => {
    expect(read(`${folder}/tsup.config.ts`).trim()).toBe('export { default } from "../../tsup.preset.ts";');
    expect(readJson(`${folder}/tsconfig.json`).extends).toBe("../../tsconfig.json");
  });

  test("has an index of re-exports", () => {
    for (const statement of parse(`${folder}/src/index.ts`).statements) {
      expect(ts.SyntaxKind[statement.kind]).toBe("ExportDeclaration");
    }
  });

  test("names its files in kebab-case, each for what it holds", () => {
    for (const file of sourcesOf(folder)) {
      expect(basename(file)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/);
      expect(basename(file)).not.toMatch(/^(utils?|helpers?|misc|common)\.ts$/);
    }
  });

  test("imports its own files with their ending and stays in its folder", () => {
    for (const { file, specifier } of sourcesOf(folder).flatMap(importsOf)) {
      if (!specifier.startsWith(".")) continue;
      expect(specifier, file).toMatch(/\.ts$|^\.\.\/package\.json$/);
      expect(join(file, "..", specifier).startsWith(`${folder}/`), `${file} imports ${specifier}`).toBe(true);
    }
  });

  test("declares what it imports", () => {
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    for (const { file, specifier } of bareImportsOf(folder)) {
      expect(declared, `${file} imports ${specifier}`).toContain(packageOf(specifier));
    }
  });
});

describe("imports point one way", () => {
  const own = (name: string) => `@foretoken/${name}`;
  const allowed: Readonly<Record<string, readonly string[]>> = {
    core: [],
    drafting: ["core"],
    runtime: ["core"],
    testing: ["core", "runtime"],
    bench: ["core", "runtime"],
  };

  test.each(Object.entries(allowed))("%s imports %j of ours", (name, targets) => {
    for (const { file, specifier } of bareImportsOf(`packages/${name}`)) {
      if (!specifier.startsWith("@foretoken/")) continue;
      expect(targets.map(own), `${file} imports ${specifier}`).toContain(packageOf(specifier));
    }
  });

  test.each(plugins)(
    "%s imports core and drafting, of the runtime only types, and no other plugin",
    (folder) => {
      for (const { file, specifier, isTypeOnly } of bareImportsOf(folder)) {
        if (!specifier.startsWith("@foretoken/")) continue;
        const targets = ["core", "drafting", ...(isTypeOnly ? ["runtime"] : [])];
        expect(targets.map(own), `${file} imports ${specifier}`).toContain(packageOf(specifier));
      }
    },
  );

  test("only the runtime imports ONNX Runtime", () => {
    for (const folder of [...packages, ...plugins]) {
      if (folder === "packages/runtime") continue;
      const found = bareImportsOf(folder).filter(({ specifier }) => specifier.startsWith("onnxruntime"));
      expect(found, folder).toEqual([]);
    }
  });

  test("what a browser imports of core needs no Node module", () => {
    const reached = new Set<string>();
    const follow = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { specifier } of importsOf(file)) {
        expect(
          specifier.startsWith("node:") || builtinModules.includes(specifier),
          `${file} imports ${specifier}`,
        ).toBe(false);
        if (specifier.startsWith(".")) follow(join(file, "..", specifier));
      }
    };
    follow("packages/core/src/index.ts");
    expect(reached.size).toBeGreaterThan(30);
  });
});

/** Strings and names in a file's code; comments may give examples. */
function wordsOf(file: string): readonly string[] {
  const words: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) {
      words.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return words;
}

test.each(["core", "drafting", "runtime", "testing"])("%s names no strategy", (name) => {
  // As words of their own: days of the week hold the name of a strategy.
  const spellings = strategies.flatMap((strategy) =>
    [strategy, camelCase(strategy)].map((spelling) => new RegExp(`(?<![a-z])${spelling}(?![a-z])`)),
  );
  for (const file of sourcesOf(`packages/${name}`)) {
    const named = wordsOf(file).filter((word) => spellings.some((spelling) => spelling.test(word)));
    expect(named, file).toEqual([]);
  }
});

const camelCase = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const HEADINGS = [
  "What this is",
  "When to use it",
  "Install",
  "Use",
  "Options",
  "How it works",
  "Measured",
  "Limits",
  "Source",
];

describe.each(plugins)("%s", (folder) => {
  const name = basename(folder);
  const manifest = readJson(`${folder}/package.json`);

  test("has one export and can be discovered", () => {
    expect(Object.keys(manifest.exports)).toEqual(["."]);
    expect(manifest.keywords).toContain("foretoken-plugin");
    expect([manifest.foretoken].flat()[0]).toMatchObject({ name, specification: "v1" });
  });

  test("leaves core to the application", () => {
    expect(manifest.peerDependencies).toHaveProperty("@foretoken/core");
    const own = Object.keys(manifest.dependencies ?? {}).filter((dependency) =>
      dependency.startsWith("@foretoken/"),
    );
    expect(own).toEqual([]);
  });

  test("exports its factory, and the plugins that its package.json announces", async () => {
    const index = await import(/* @vite-ignore */ join(root, folder, "src/index.ts"));
    expect(index[camelCase(name)]).toBeTypeOf("function");
    const exported = [index.plugin, index.plugins].flat().filter((plugin) => plugin !== undefined);
    expect(
      exported.map(({ name, kind, specification, guarantee }) => ({ name, kind, specification, guarantee })),
    ).toEqual([manifest.foretoken].flat());
    if (index.plugin !== undefined) expect(index.default).toBe(index.plugin);
  });

  test("README has the headings every plugin has, in order", () => {
    const headings = [...read(`${folder}/README.md`).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(HEADINGS);
  });

  test("is in the README's table of strategies", () => {
    expect(read("README.md")).toContain(`[\`@foretoken/${name}\`](plugins/${name}/README.md)`);
  });
});

test("the lockfile holds one ONNX Runtime of each kind", () => {
  const installed = Object.keys(readJson("package-lock.json").packages).map((path) =>
    path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
  );
  for (const name of ["onnxruntime-web", "onnxruntime-node"]) {
    expect(
      installed.filter((path) => path === name),
      name,
    ).toHaveLength(1);
  }
});

test("the lockfile names no host", () => {
  const entries = Object.values<{ resolved?: string }>(readJson("package-lock.json").packages);
  expect(entries.filter(({ resolved }) => resolved?.includes("://"))).toEqual([]);
});

test("the licence is in the repository", () => {
  expect(read("LICENSE")).toContain("Apache License");
  expect(readJson("package.json").license).toBe("Apache-2.0");
});
