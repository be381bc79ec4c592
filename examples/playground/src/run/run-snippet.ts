import type { PartInfo, PartJson } from "@foretoken/core";
import type { Run } from "./run.ts";

/** What a snippet has to know besides the run. */
export interface SnippetContext {
  /** What `loadModel` is given in Node: a catalog name or a path. */
  readonly model: string;
  /** The parts the page knows; those of core need no import. */
  readonly parts: readonly PartInfo[];
}

/**
 * A run as a TypeScript program for Node: the same messages, decoder, sampling and seed. It imports a plugin's package
 * for every part that the decoder names and core does not have.
 */
export function runSnippet(run: Run, { model, parts }: SnippetContext): string {
  const { messages, decoder, sampling } = run.request;
  const status = run.status.value;
  const seed = status.is === "done" ? status.generation.seed : sampling.seed;
  const named = namesIn(decoder);
  const plugins = parts.flatMap(({ name, from }) =>
    named.has(name) && from !== undefined && from !== "@foretoken/core"
      ? [{ variable: camelCase(name), from }]
      : [],
  );
  const options = { messages, ...sampling, seed };
  return [
    'import { createRegistry, generate } from "@foretoken/core";',
    'import { loadModel } from "@foretoken/runtime";',
    ...plugins.map(({ variable, from }) => `import { plugin as ${variable} } from ${JSON.stringify(from)};`),
    "",
    "const registry = createRegistry();",
    ...plugins.map(({ variable }) => `registry.register(${variable});`),
    "",
    `const model = await loadModel(${JSON.stringify(model)});`,
    "const { text, report } = await generate(model, {",
    `  decoder: registry.compose("decoder", ${inline(decoder)}),`,
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

function namesIn(value: unknown): ReadonlySet<string> {
  if (typeof value !== "object" || value === null) return new Set();
  const inside = Object.values(value).flatMap((member) => [...namesIn(member)]);
  const { use } = value as Partial<PartJson>;
  return new Set(typeof use === "string" ? [use, ...inside] : inside);
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
