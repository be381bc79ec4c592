import { textTable } from "@foretoken/bench";
import type { PartDescription, Registry } from "@foretoken/core";
import type { CliContext } from "../cli-context.ts";
import { DEFAULT_DECODER } from "../default-decoder.ts";
import { EXIT } from "../exit-code.ts";
import { announceInstalled, shippedRegistry } from "../parts.ts";
import { say } from "../terminal.ts";

/**
 * Lists parts, or shows one part's options.
 * @returns The exit code.
 */
export async function pluginsCommand(
  name: string | undefined,
  { json }: { readonly json?: boolean },
  { terminal, cwd }: CliContext,
): Promise<number> {
  const registry = shippedRegistry();
  const faults = await announceInstalled(registry, cwd);
  for (const { code, message, fix } of faults) say(terminal, `${code} ${message}\n  ${fix}`);
  const { stdout } = terminal;
  if (name !== undefined) {
    await registry.load(name);
    const description = registry.describe(name);
    stdout.write(json ? `${JSON.stringify(description)}\n` : `${describe(description)}\n`);
    return EXIT.ok;
  }
  const parts = await describeAll(registry);
  stdout.write(
    json
      ? `${JSON.stringify({ parts, defaultDecoder: DEFAULT_DECODER })}\n`
      : `${table(parts)}\n\nThe default decoder is ${JSON.stringify(DEFAULT_DECODER)}.\n`,
  );
  return EXIT.ok;
}

/** Options of parts that are not loaded stay unknown: listing imports no plugin code. */
async function describeAll(registry: Registry): Promise<readonly PartDescription[]> {
  return registry
    .list()
    .map((info) => (info.isLoaded ? registry.describe(info.name) : { ...info, options: undefined }));
}

function table(parts: readonly PartDescription[]): string {
  return textTable(
    ["name", "kind", "guarantee", "options", "from"].map((title) => ({ title, align: "left" })),
    parts.map(({ name, kind, guarantee, options, from }) => [
      name,
      kind,
      guarantee ?? "–",
      options === undefined ? "?" : Object.keys(propertiesOf(options)).join(", ") || "–",
      from ?? "–",
    ]),
  );
}

function describe({ name, kind, summary, guarantee, options, from }: PartDescription): string {
  const properties = Object.entries(propertiesOf(options ?? {}));
  return [
    `${name} (${kind}${from === undefined ? "" : `, ${from}`})`,
    ...(summary === undefined ? [] : [summary]),
    ...(guarantee === undefined ? [] : [`Promise with default options: ${guarantee}.`]),
    "",
    properties.length === 0
      ? "No options."
      : textTable(
          ["option", "default", "schema"].map((title) => ({ title, align: "left" })),
          properties.map(([option, { default: preset, ...schema }]) => [
            option,
            preset === undefined ? "–" : JSON.stringify(preset),
            JSON.stringify(schema),
          ]),
        ),
  ].join("\n");
}

function propertiesOf(schema: Readonly<Record<string, unknown>>): Record<string, Record<string, unknown>> {
  return (schema.properties ?? {}) as Record<string, Record<string, unknown>>;
}
