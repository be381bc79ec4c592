import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { discoverPlugins } from "./discovery.ts";
import { createRegistry } from "./part-registry.ts";

let root = "";
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "foretoken-discovery-")));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Writes files below the test's folder. */
async function write(files: Record<string, string | object>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  }
}

/** A plugin without any dependency, as a package on disk. */
const source = (name: string, kind = "drafter", specification = "v1") => `{
  specification: "${specification}", kind: "${kind}", name: "${name}", summary: "s",
  options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
  create: () => ({
    name: "${name}", proposal: "deterministic", defaultLimit: 1, requirements: () => ({}), start: () => ({}),
  }),
}`;

function packageJson(name: string, block: unknown, more: object = {}) {
  return {
    name,
    version: "1.2.3",
    type: "module",
    description: "About it.",
    keywords: ["foretoken-plugin"],
    exports: { ".": { types: "./index.d.ts", import: "./index.js" } },
    foretoken: block,
    ...more,
  };
}

const block = (name: string) => ({ name, kind: "drafter", specification: "v1", guarantee: "identical" });

const fails = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => error,
  );

test("finds plain, scoped and linked packages, and imports the one that is named", async () => {
  await write({
    "app/node_modules/one/package.json": packageJson("one", block("one")),
    "app/node_modules/one/index.js": `export const plugin = ${source("one")};`,
    "app/node_modules/@acme/two/package.json": packageJson("@acme/two", block("two")),
    "app/node_modules/@acme/two/index.js": `throw new Error("imported although nobody named it");`,
    "workspace/three/package.json": packageJson("three", block("three")),
    "workspace/three/index.js": `export default ${source("three")};`,
    "app/node_modules/other/package.json": { name: "other", keywords: ["foretoken"] },
  });
  await symlink(join(root, "workspace/three"), join(root, "app/node_modules/three"), "dir");
  const { plugins, faults } = await discoverPlugins(join(root, "app"));
  expect(faults).toEqual([]);
  expect(plugins.map(({ name, from, folder }) => [name, from, folder.slice(root.length + 1)])).toEqual([
    ["two", "@acme/two", "app/node_modules/@acme/two"],
    ["one", "one", "app/node_modules/one"],
    ["three", "three", "workspace/three"],
  ]);
  expect(plugins[1]).toMatchObject({
    kind: "drafter",
    guarantee: "identical",
    summary: "About it.",
    version: "1.2.3",
  });

  const registry = createRegistry();
  for (const plugin of plugins) registry.announce(plugin);
  expect((await registry.composeAsync("decoder", ["one", { use: "three" }])).name).toBe(
    "speculative(one, three)",
  );
});

test("looks where Node looks: in the folders above too, the nearer one first", async () => {
  await write({
    "node_modules/far/package.json": packageJson("far", block("far")),
    "node_modules/both/package.json": packageJson("both", block("both"), { version: "1.0.0" }),
    "app/deep/node_modules/both/package.json": packageJson("both", block("both"), { version: "2.0.0" }),
  });
  const { plugins } = await discoverPlugins(join(root, "app/deep"));
  expect(
    plugins.filter(({ folder }) => folder.startsWith(root)).map(({ name, version }) => [name, version]),
  ).toEqual([
    ["both", "2.0.0"],
    ["far", "1.2.3"],
  ]);
});

test("one package may offer several parts", async () => {
  const schedule = `{ ...${source("skip", "schedule")}, create: () => ({ plan: () => undefined }) }`;
  await write({
    "node_modules/skip/package.json": packageJson("skip", [
      { name: "skip", kind: "schedule", specification: "v1" },
      block("skip-draft"),
    ]),
    "node_modules/skip/index.js": `export const plugins = [${schedule}, ${source("skip-draft")}];`,
  });
  const { plugins } = await discoverPlugins(root);
  const loaded = await Promise.all(plugins.map((plugin) => plugin.load()));
  expect(loaded.map(({ name, kind }) => [name, kind])).toEqual([
    ["skip", "schedule"],
    ["skip-draft", "drafter"],
  ]);
});

test("two packages with one name: the name cannot be used, and both paths are told", async () => {
  await write({
    "node_modules/a/package.json": packageJson("a", block("lookup")),
    "node_modules/b/package.json": packageJson("b", block("lookup")),
    "node_modules/fine/package.json": packageJson("fine", block("fine")),
  });
  const { plugins, faults } = await discoverPlugins(root);
  expect(plugins.map(({ name }) => name)).toEqual(["lookup", "fine"]);
  expect(faults.map(({ code }) => code)).toEqual(["NAME_TAKEN"]);
  const error = await fails(plugins[0]!.load());
  expect(error).toBe(faults[0]);
  expect(error.message).toContain(join(root, "node_modules/a"));
  expect(error.message).toContain(join(root, "node_modules/b"));
});

test("a broken package.json is a fault that names the folder, and hides nobody", async () => {
  await write({
    "node_modules/broken/package.json": '{ "name": "broken", "keywords": ["foretoken-plugin"], ',
    "node_modules/stranger/package.json": "{ not ours, not read",
    "node_modules/no-block/package.json": packageJson("no-block", undefined),
    "node_modules/bad-name/package.json": packageJson("bad-name", block("Bad Name")),
    "node_modules/empty/readme.md": "",
    "node_modules/file.txt": "",
    "node_modules/fine/package.json": packageJson("fine", block("fine")),
  });
  const { plugins, faults } = await discoverPlugins(root);
  expect(plugins.map(({ name }) => name)).toEqual(["fine"]);
  expect(faults.map(({ code }) => code)).toEqual(["INVALID_PLUGIN", "INVALID_PLUGIN", "INVALID_PLUGIN"]);
  const messages = faults.map(({ message }) => message).sort();
  expect(messages[0]).toContain("no-block");
  expect(messages[1]).toContain(join(root, "node_modules/broken"));
  expect(messages[2]).toContain("bad-name");
});

test.each([
  [
    "another specification",
    { name: "x", kind: "drafter", specification: "v2" },
    "WRONG_SPECIFICATION",
    '"v2"',
  ],
  ["no specification", { name: "x", kind: "drafter" }, "WRONG_SPECIFICATION", "undefined"],
  ["an unknown kind", { name: "x", kind: "magic", specification: "v1" }, "INVALID_PLUGIN", '"magic"'],
])("a manifest with %s fails when the plugin is used", async (_, manifest, code, words) => {
  await write({
    "node_modules/x/package.json": packageJson("x", manifest),
    "node_modules/x/index.js": `throw new Error("imported");`,
  });
  const { plugins, faults } = await discoverPlugins(root);
  const error = await fails(plugins[0]!.load());
  expect(error).toBe(faults[0]);
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
  expect(error.message).toContain(join(root, "node_modules/x"));
});

test.each([
  ["its file is missing", undefined, {}, "could not be imported"],
  ["its code throws", `throw new Error("no table");`, {}, "no table"],
  ["it does not export the plugin", "export const other = 1;", {}, "exports no plugin named x"],
  ["it exports another plugin", `export const plugin = ${source("y")};`, {}, "exports no plugin named x"],
  ["kinds differ", `export const plugin = ${source("x", "verifier")};`, {}, "but exports a verifier"],
  ["it exports nothing to import", "", { exports: { ".": { require: "./index.cjs" } } }, "exports nothing"],
])("load() names the package where %s", async (_, code, more, words) => {
  await write({ "node_modules/x/package.json": packageJson("x", block("x"), more) });
  if (code !== undefined) await write({ "node_modules/x/index.js": code });
  const { plugins } = await discoverPlugins(root);
  const error = await fails(plugins[0]!.load());
  expect(error.code).toBe("INVALID_PLUGIN");
  expect(error.message).toContain(words);
  expect(error.message).toContain(`x (${join(root, "node_modules/x")})`);
});

test("the code's own specification counts too", async () => {
  await write({
    "node_modules/x/package.json": packageJson("x", block("x")),
    "node_modules/x/index.js": `export const plugin = ${source("x", "drafter", "v0")};`,
  });
  const { plugins } = await discoverPlugins(root);
  expect((await fails(plugins[0]!.load())).code).toBe("WRONG_SPECIFICATION");
});

test.each([
  ["a string", "./index.js"],
  ["conditions without a dot", { import: "./index.js" }],
  ["nested conditions", { ".": { browser: "./no.js", node: { require: "./no.cjs", import: "./index.js" } } }],
  ["a default", { ".": { default: "./index.js" } }],
])("exports may be %s", async (_, exports) => {
  await write({
    "node_modules/x/package.json": packageJson("x", block("x"), { exports }),
    "node_modules/x/index.js": `export const plugin = ${source("x")};`,
  });
  const { plugins } = await discoverPlugins(root);
  expect((await plugins[0]!.load()).name).toBe("x");
});

test("a folder without packages holds no plugins", async () => {
  expect(await discoverPlugins(join(root, "nowhere"))).toEqual({ plugins: [], faults: [] });
});
