import type { PartInfo, PartJson } from "@foretoken/core";
import { CATALOG, type WorkerModelInfo } from "@foretoken/runtime/worker";
import { HEADS } from "../parts.ts";
import type { Run } from "./run.ts";

const CORE = "@foretoken/core";

/**
 * A run as a TypeScript program for Node: the same model in the same precision, messages, decoder, sampling and seed. A
 * model of the catalog is named; another one is looked for beside the program.
 *
 * @param parts - Those the page knows; the program imports the packages of the ones that the decoder names.
 */
export function runSnippet(run: Run, parts: readonly PartInfo[]): string {
  const { dtype } = run.model;
  const { messages, decoder, sampling } = run.request;
  const status = run.status.value;
  const seed = status.is === "done" ? status.generation.seed : sampling.seed;
  const names = namesIn(decoder);
  const named = parts.filter(({ name }) => names.has(name));
  const packages = new Set(named.flatMap(({ from = CORE }) => (from === CORE ? [] : [from])));
  const plugins = [...packages].map((from) => ({
    from,
    variable: camelCase(from.replace(/^.*\//, "")),
    // A package of several parts exports them together.
    isList: parts.filter((part) => part.from === from).length > 1,
  }));
  const options = { messages, ...sampling, seed };
  const heads = HEADS.filter((head) => textsIn(decoder).has(head));
  // Draft models and heads are named in JSON; here they are found as in the worker.
  const resources = [
    ...(named.some(({ kind }) => kind === "source") ? ["loadModel"] : []),
    ...heads.map((head) => `${JSON.stringify(head)}: ${camelCase(head)}`),
  ];
  const found = resources.length > 0 ? `, { resources: { ${resources.join(", ")} } }` : "";
  return [
    'import { createRegistry, generate } from "@foretoken/core";',
    'import { loadModel } from "@foretoken/runtime";',
    ...(heads.length > 0
      ? [`import { ${heads.map(camelCase).join(", ")} } from "@foretoken/smollm2-heads";`]
      : []),
    ...plugins.map(
      ({ variable, from, isList }) =>
        `import { ${isList ? "plugins" : "plugin"} as ${variable} } from ${JSON.stringify(from)};`,
    ),
    "",
    "const registry = createRegistry();",
    ...plugins.map(({ variable, isList }) =>
      isList
        ? `for (const plugin of ${variable}) registry.register(plugin);`
        : `registry.register(${variable});`,
    ),
    "",
    `const model = await loadModel(${JSON.stringify(sourceOf(run.model))}, ${inline({ dtype })});`,
    "const { text, report } = await generate(model, {",
    `  decoder: registry.compose("decoder", ${inline(decoder)}${found}),`,
    ...Object.entries(options).flatMap(([name, value]) =>
      value === undefined ? [] : [`  ${name}: ${name === "messages" ? lines(messages) : inline(value)},`],
    ),
    "});",
    "console.log(text);",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of the snippet, not of this file
    "console.log(`${report.tokensPerSecond.toFixed(1)} tokens/s, ${report.blockEfficiency.toFixed(2)} tokens a pass`);",
    "await model.dispose();",
    "",
  ].join("\n");
}

function sourceOf({ id, contentHash }: WorkerModelInfo): string {
  for (const [name, { sha256 }] of CATALOG) if (sha256 === contentHash) return name;
  return `./${id.split("/").at(-1)}`;
}

function namesIn(value: unknown): ReadonlySet<string> {
  if (typeof value !== "object" || value === null) return new Set();
  const inside = Object.values(value).flatMap((member) => [...namesIn(member)]);
  const { use } = value as Partial<PartJson>;
  return new Set(typeof use === "string" ? [use, ...inside] : inside);
}

function textsIn(value: unknown): ReadonlySet<string> {
  if (typeof value === "string") return new Set([value]);
  if (typeof value !== "object" || value === null) return new Set();
  return new Set(Object.values(value).flatMap((member) => [...textsIn(member)]));
}

const lines = (items: readonly unknown[]) =>
  `[\n${items.map((item) => `    ${inline(item)},\n`).join("")}  ]`;

/** JSON as a program writes it: keys bare where they can be. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, member]) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)}: ${inline(member)}`,
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

const camelCase = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
