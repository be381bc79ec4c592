import { builtins } from "./builtins.ts";
import { compose, fits, wrongKind } from "./compose.ts";
import { DecodingError } from "./errors.ts";
import { nearNames } from "./near-names.ts";
import type { PartByKind, PartKind } from "./part-kind.ts";
import type { PartInput } from "./part-schema.ts";
import { checkPlugin, isPartName, type Plugin } from "./plugin.ts";
import type { AnnouncedPlugin, ComposeOptions, PartDescription, PartInfo, Registry } from "./registry.ts";
import { showValue } from "./show-value.ts";
import { jsonSchemaOf } from "./standard-schema.ts";

interface Entry {
  readonly from: string | undefined;
  readonly plugin?: Plugin;
  readonly announced?: AnnouncedPlugin;
}

/** `UNKNOWN_PART` for a part that only has to be imported. */
class NotLoadedError extends DecodingError {
  readonly part: string;

  constructor(part: string, from: string | undefined) {
    super("UNKNOWN_PART", {
      message: `${part} is installed (${from}), but not loaded.`,
      fix: `Call await registry.load("${part}") first, or use composeAsync().`,
    });
    this.part = part;
  }
}

class PartRegistry implements Registry {
  readonly #entries = new Map<string, Entry>();

  register(plugin: Plugin, { from }: { readonly from?: string } = {}): void {
    checkPlugin(plugin, from);
    const held = this.#entries.get(plugin.name);
    if (held?.plugin === plugin) return;
    const isAnnounced = held?.plugin === undefined && mayBeSame(held?.from, from);
    if (held !== undefined && !isAnnounced) throw nameTaken(plugin.name, held.from, from);
    this.#entries.set(plugin.name, { plugin, from: from ?? held?.from });
  }

  announce(announced: AnnouncedPlugin): void {
    const { name, from } = announced;
    const held = this.#entries.get(name);
    if (held === undefined) this.#entries.set(name, { announced, from });
    else if (!mayBeSame(held.from, from)) throw nameTaken(name, held.from, from);
  }

  get<Kind extends PartKind>(kind: Kind, name: string): Plugin<Kind> {
    const plugin = this.#find(name, kind);
    if (plugin.kind === kind) return plugin as Plugin as Plugin<Kind>;
    throw wrongKind("The part", name, plugin.kind, kind);
  }

  async load(name: string): Promise<Plugin> {
    const entry = this.#entry(name);
    if (entry.plugin !== undefined) return entry.plugin;
    const plugin = await entry.announced!.load();
    if (plugin?.name !== name) {
      throw new DecodingError("INVALID_PLUGIN", {
        message: `${entry.from} announces ${name}, but loads ${showValue(plugin?.name)}.`,
        fix: "This is a fault of the package: both names must be the same.",
      });
    }
    this.register(plugin, { from: entry.from });
    return plugin;
  }

  list(): readonly PartInfo[] {
    return [...this.#entries.keys()].sort().map((name) => this.#info(name));
  }

  describe(name: string): PartDescription {
    return { ...this.#info(name), options: jsonSchemaOf(this.#find(name).options) };
  }

  compose<Kind extends PartKind>(
    kind: Kind,
    value: PartInput<Kind>,
    { resources = {} }: ComposeOptions = {},
  ): PartByKind[Kind] {
    return compose(kind, value, { resources, find: (name, wanted) => this.#find(name, wanted) });
  }

  async composeAsync<Kind extends PartKind>(
    kind: Kind,
    value: PartInput<Kind>,
    options?: ComposeOptions,
  ): Promise<PartByKind[Kind]> {
    for (;;) {
      try {
        return this.compose(kind, value, options);
      } catch (error) {
        if (!(error instanceof NotLoadedError)) throw error;
        await this.load(error.part);
      }
    }
  }

  /** @param kind - What the name stands for, when only some kinds make sense as suggestions. */
  #find(name: string, kind?: PartKind): Plugin {
    const { plugin, from } = this.#entry(name, kind);
    if (plugin === undefined) throw new NotLoadedError(name, from);
    return plugin;
  }

  #entry(name: string, kind?: PartKind): Entry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    const candidates = this.list().filter((info) => kind === undefined || fits(info.kind, kind));
    const near = nearNames(
      name,
      candidates.map((info) => info.name),
    );
    throw new DecodingError("UNKNOWN_PART", {
      message: `There is no ${kind ?? "part"} named ${showValue(name)}.`,
      fix: `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}${howToInstall(name)}`,
    });
  }

  #info(name: string): PartInfo {
    const { plugin, announced, from } = this.#entry(name);
    const { kind, summary, guarantee } = (plugin ?? announced)!;
    return { name, kind, summary, guarantee, from, isLoaded: plugin !== undefined };
  }
}

/** A registry that knows the built-in parts: `plain`, `speculative`, `draw-and-match`, `rejection`, `fixed`. */
export function createRegistry(): Registry {
  const registry = new PartRegistry();
  for (const plugin of builtins()) registry.register(plugin, { from: "@foretoken/core" });
  return registry;
}

/** The registry that programs share. */
export const registry: Registry = /* @__PURE__ */ createRegistry();

/** Whether two places may be one package: a plugin registered without saying where it is from may be from anywhere. */
function mayBeSame(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

function nameTaken(name: string, holder: string | undefined, claimant: string | undefined): DecodingError {
  const show = (from: string | undefined) => from ?? "a plugin registered by the program";
  return new DecodingError("NAME_TAKEN", {
    message: `The name ${name} is held by ${show(holder)}; ${show(claimant)} claims it too.`,
    fix: "Register one of the two, or give them registries of their own with createRegistry().",
  });
}

/** Only a name that a package could have goes into a command that the reader may copy. */
function howToInstall(name: string): string {
  if (!isPartName(name)) return "Names are kebab-case; registry.list() tells those there are.";
  return `If a package offers it, install and register it: npm install @foretoken/${name}, then registry.register(plugin).`;
}
