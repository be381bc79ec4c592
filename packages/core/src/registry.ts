import type { GuaranteeLevel } from "./guarantee.ts";
import type { PartByKind, PartKind } from "./part-kind.ts";
import type { PartInput } from "./part-schema.ts";
import type { Plugin } from "./plugin.ts";

/** A plugin that is installed and not imported yet; `discoverPlugins()` makes these. */
export interface AnnouncedPlugin {
  readonly name: string;
  readonly kind: PartKind;
  readonly summary?: string;
  readonly guarantee?: GuaranteeLevel;
  /** The package it is in. */
  readonly from: string;
  /** Imports its code. */
  load(): Promise<Plugin>;
}

/** What is known about a part without building it. */
export interface PartInfo {
  readonly name: string;
  readonly kind: PartKind;
  readonly summary: string | undefined;
  /** With its default options; `undefined` for parts that have no say. */
  readonly guarantee: GuaranteeLevel | undefined;
  /** The package that holds it, when that is known. */
  readonly from: string | undefined;
  /** Whether its code is imported, so that `compose()` can build it. */
  readonly isLoaded: boolean;
}

/** A part with what a form needs. */
export interface PartDescription extends PartInfo {
  /**
   * JSON Schema of its options; a property with `part: kind` takes a part of that kind. `undefined` when the plugin's
   * schema library cannot tell.
   */
  readonly options: Readonly<Record<string, unknown>> | undefined;
}

/** Options of composing. */
export interface ComposeOptions {
  /** What JSON cannot hold and parts refer to by name, such as loaded draft models. */
  readonly resources?: Readonly<Record<string, unknown>>;
}

/** Parts by name. */
export interface Registry {
  /**
   * Adds a plugin. Adding the same object again is harmless.
   * @param options.from - The package it is in, for messages.
   * @throws `NAME_TAKEN` saying who holds the name, `WRONG_SPECIFICATION`, `INVALID_PLUGIN`
   */
  register(plugin: Plugin, options?: { readonly from?: string }): void;
  /**
   * Adds an installed plugin whose code is imported when it is asked for. A plugin of the same package that was
   * registered already stays.
   * @throws `NAME_TAKEN` naming both packages
   */
  announce(plugin: AnnouncedPlugin): void;
  /** @throws `UNKNOWN_PART`, also for a plugin that is not loaded; `WRONG_KIND` */
  get<Kind extends PartKind>(kind: Kind, name: string): Plugin<Kind>;
  /** Imports an announced plugin; for a loaded one it does nothing. @throws `UNKNOWN_PART`, and what the import throws. */
  load(name: string): Promise<Plugin>;
  /** All parts by name, in alphabetical order. */
  list(): readonly PartInfo[];
  /** @throws `UNKNOWN_PART` */
  describe(name: string): PartDescription;
  /**
   * Builds a part from a name, `{ use: name, …options }`, or parts that are built already. Where a decoder is asked for,
   * a drafter or a list of drafters becomes `speculative` and a schedule becomes `plain`.
   *
   * @example
   * registry.compose("decoder", { use: "speculative", drafters: ["prompt-lookup", { use: "token-recycling" }] })
   *
   * @throws `UNKNOWN_PART`, `WRONG_KIND`, `INVALID_OPTION`, `INVALID_PLUGIN`, and what a part's `create` throws.
   */
  compose<Kind extends PartKind>(
    kind: Kind,
    value: PartInput<Kind>,
    options?: ComposeOptions,
  ): PartByKind[Kind];
  /** As {@link Registry.compose}, importing the announced plugins that `value` names. */
  composeAsync<Kind extends PartKind>(
    kind: Kind,
    value: PartInput<Kind>,
    options?: ComposeOptions,
  ): Promise<PartByKind[Kind]>;
}
