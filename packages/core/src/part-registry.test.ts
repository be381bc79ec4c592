import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { halvePlugin, lenientPlugin, repeatLast, repeatLastPlugin } from "./__fixtures__/example-plugins.ts";
import { thrown } from "./__fixtures__/thrown.ts";
import { hasCode } from "./errors.ts";
import { createRegistry } from "./part-registry.ts";
import { definePlugin, type Plugin } from "./plugin.ts";
import type { AnnouncedPlugin } from "./registry.ts";
import { drawAndMatch, rejection } from "./verifiers.ts";

function registryWith(...plugins: Plugin[]) {
  const registry = createRegistry();
  for (const plugin of plugins) registry.register(plugin);
  return registry;
}

function announced(plugin: Plugin, from: string): AnnouncedPlugin & { load: ReturnType<typeof vi.fn> } {
  return { name: plugin.name, kind: plugin.kind, from, load: vi.fn(async () => plugin) };
}

describe("register", () => {
  test("a taken name is refused, and the holder named", () => {
    const registry = createRegistry();
    registry.register(repeatLastPlugin, { from: "@acme/repeat" });
    const error = thrown(() => registry.register({ ...repeatLastPlugin }, { from: "@other/repeat" }));
    expect(error.code).toBe("NAME_TAKEN");
    expect(error.message).toBe("The name repeat-last is held by @acme/repeat; @other/repeat claims it too.");
    expect(registry.get("drafter", "repeat-last")).toBe(repeatLastPlugin);
  });

  test("the same object again is harmless", () => {
    const registry = registryWith(repeatLastPlugin, repeatLastPlugin);
    expect(registry.list().filter(({ name }) => name === "repeat-last")).toHaveLength(1);
  });

  test("built-in names are taken", () => {
    const error = thrown(() => registryWith({ ...repeatLastPlugin, name: "plain" }));
    expect(error.message).toContain("@foretoken/core");
  });

  test("another specification is refused", () => {
    expect(thrown(() => registryWith({ ...repeatLastPlugin, specification: "v2" })).code).toBe(
      "WRONG_SPECIFICATION",
    );
  });

  test("registries do not share plugins", () => {
    registryWith(repeatLastPlugin);
    expect(
      createRegistry()
        .list()
        .map(({ name }) => name),
    ).toEqual(["auto", "draw-and-match", "fixed", "plain", "rejection", "speculative"]);
  });
});

describe("get, list, describe", () => {
  test("an unknown name comes with near names of a fitting kind and how to install", () => {
    const registry = registryWith(repeatLastPlugin, halvePlugin);
    const error = thrown(() => registry.compose("decoder", "repeat-lst"));
    expect(error.code).toBe("UNKNOWN_PART");
    expect(error.message).toBe('There is no decoder named "repeat-lst".');
    expect(error.fix).toContain("Did you mean repeat-last?");
    expect(error.fix).toContain("npm install @foretoken/repeat-lst");
    expect(thrown(() => registry.compose("verifier", "repeat-lst")).fix).not.toContain("Did you mean");
  });

  test("a name that no package can have never goes into a command", () => {
    const error = thrown(() => createRegistry().compose("decoder", "x; rm -rf ~"));
    expect(error.fix).not.toContain("npm install");
    for (const name of ["__proto__", "constructor", "toString"]) {
      expect(thrown(() => createRegistry().compose("decoder", name)).code).toBe("UNKNOWN_PART");
    }
  });

  test("another kind is refused", () => {
    const error = thrown(() => createRegistry().get("drafter", "plain"));
    expect(error.code).toBe("WRONG_KIND");
    expect(error.message).toBe("The part is plain, a decoder, but must be a drafter.");
  });

  test("describes options as JSON Schema, parts marked by kind", () => {
    const registry = registryWith(repeatLastPlugin, lenientPlugin);
    expect(registry.describe("repeat-last")).toMatchObject({
      kind: "drafter",
      guarantee: "identical",
      isLoaded: true,
      options: {
        type: "object",
        additionalProperties: false,
        properties: { length: { type: "integer", minimum: 1, default: 2, description: "Tokens to draft." } },
      },
    });
    expect(registry.describe("lenient").options).toMatchObject({
      properties: { inner: { part: "verifier" } },
    });
    expect(registry.describe("speculative").options).toMatchObject({
      properties: {
        drafters: { anyOf: [{ part: "drafter" }, { type: "array", items: { part: "drafter" } }] },
      },
      required: ["drafters"],
    });
  });
});

describe("compose", () => {
  const registry = registryWith(repeatLastPlugin, halvePlugin, lenientPlugin);

  test("a bare name is the part with its defaults", () => {
    expect(registry.compose("decoder", "plain").name).toBe("plain");
    expect(registry.compose("drafter", "repeat-last").defaultLimit).toBe(2);
    expect(registry.compose("drafter", { use: "repeat-last", length: 5 }).defaultLimit).toBe(5);
  });

  test("a drafter in a decoder's place becomes speculative with its default verifier", () => {
    for (const value of ["repeat-last", { use: "repeat-last", length: 1 }, repeatLast({ length: 1 })]) {
      const decoder = registry.compose("decoder", value);
      expect(decoder.name).toBe("speculative(repeat-last)");
      expect(decoder.guarantee().level).toBe("identical");
    }
  });

  test("a list of drafters becomes one speculative decoder", () => {
    const other = { ...repeatLast({ length: 1 }), name: "other" };
    expect(registry.compose("decoder", ["repeat-last", other]).name).toBe("speculative(repeat-last, other)");
    expect(thrown(() => registry.compose("decoder", [])).code).toBe("INVALID_OPTION");
    expect(thrown(() => registry.compose("decoder", ["plain"])).message).toBe(
      "Part [0] is plain, a decoder, but must be a drafter.",
    );
  });

  test("a schedule in a decoder's place becomes plain", () => {
    const decoder = registry.compose("decoder", "halve");
    expect(decoder.name).toBe("plain");
    expect(decoder.guarantee()).toEqual({ level: "altered", reasons: ["halve leaves layers out"] });
  });

  test("parts nest", () => {
    const decoder = registry.compose("decoder", {
      use: "speculative",
      drafters: [{ use: "repeat-last", length: 3 }],
      verifier: { use: "lenient", inner: { use: "lenient", inner: "rejection" } },
      budget: { use: "fixed", nodes: 2 },
      schedule: "halve",
    });
    expect(decoder.name).toBe("speculative(repeat-last)");
    expect(decoder.guarantee()).toEqual({
      level: "altered",
      reasons: ["lenient over lenient(rejection)", "halve leaves layers out"],
    });
  });

  test("an option's default may name a part", () => {
    expect(registry.compose("verifier", "lenient").name).toBe("lenient(draw-and-match)");
  });

  test("a built part stays itself", () => {
    const verifier = rejection();
    expect(registry.compose("verifier", verifier)).toBe(verifier);
    expect(registry.compose("verifier", { use: "lenient", inner: verifier }).name).toBe("lenient(rejection)");
  });

  test.each([
    ["a verifier where a decoder is asked for", "decoder", "rejection"],
    ["a decoder where a drafter is asked for", "drafter", "plain"],
    ["a budget where a verifier is asked for", "verifier", "fixed"],
    ["a built verifier where a budget is asked for", "budget", drawAndMatch()],
  ] as const)("%s is refused", (_, kind, value) => {
    expect(thrown(() => registry.compose(kind, value as string)).code).toBe("WRONG_KIND");
  });

  test("a fault deep inside is named with its path", () => {
    const wrongValue = { use: "speculative", drafters: [{ use: "repeat-last", length: "three" }] };
    expect(thrown(() => registry.compose("decoder", wrongValue)).message).toBe(
      'Option drafters[0].length of repeat-last is "three": expected number, received string.',
    );
    const wrongKind = { use: "speculative", drafters: "repeat-last", verifier: "fixed" };
    expect(thrown(() => registry.compose("decoder", wrongKind)).message).toBe(
      "Part verifier is fixed, a budget, but must be a verifier.",
    );
    const unknownKey = {
      use: "speculative",
      drafters: "repeat-last",
      verifier: { use: "lenient", threshold: 0.5 },
    };
    expect(thrown(() => registry.compose("decoder", unknownKey)).message).toBe(
      "lenient has no option verifier.threshold (its value is 0.5).",
    );
    const noPart = { use: "speculative", drafters: 7 };
    expect(thrown(() => registry.compose("decoder", noPart)).message).toContain("expected a drafter: a name");
  });

  test.each([undefined, null, 7, true, {}, { use: 3 }, { name: "plain" }])("%j is no part", (value) => {
    const error = thrown(() => registry.compose("decoder", value as never));
    expect(error.code).toBe("INVALID_OPTION");
    expect(error.message).toContain("expected a decoder");
  });

  test("a value that contains itself is refused", () => {
    const cyclic: Record<string, unknown> = { use: "lenient" };
    cyclic.inner = cyclic;
    expect(thrown(() => registry.compose("verifier", cyclic as never)).message).toBe(
      "Part inner contains itself.",
    );
    const list: unknown[] = [];
    list.push(list);
    expect(thrown(() => registry.compose("decoder", list as never)).code).toBe("INVALID_OPTION");
  });

  test("nesting has a limit", () => {
    let deep: { use: string; inner?: unknown } = { use: "lenient" };
    for (let level = 0; level < 10_000; level++) deep = { use: "lenient", inner: deep };
    const error = thrown(() => registry.compose("verifier", deep));
    expect(error.code).toBe("INVALID_OPTION");
    expect(error.message).toContain("deeper than 16");
  });

  test("a plugin that makes something else than it says is refused", () => {
    const liar = { ...repeatLastPlugin, name: "liar", create: () => rejection() as never };
    expect(thrown(() => registryWith(liar).compose("drafter", "liar")).code).toBe("WRONG_KIND");
  });

  test("resources reach create()", () => {
    const model = { id: "draft" };
    const withModel = definePlugin({
      specification: "v1",
      kind: "drafter",
      name: "with-model",
      summary: "Drafts with a model of the program's.",
      options: z.strictObject({ model: z.string() }),
      create: (options, { resources }) => {
        expect(resources[options.model]).toBe(model);
        return repeatLast({ length: 1 });
      },
    });
    const decoder = registryWith(withModel).compose(
      "decoder",
      { use: "with-model", model: "small" },
      { resources: { small: model } },
    );
    expect(decoder.name).toBe("speculative(repeat-last)");
  });
});

describe("announced plugins", () => {
  test("are listed without being imported", () => {
    const registry = createRegistry();
    const plugin = announced(repeatLastPlugin, "@acme/repeat");
    registry.announce(plugin);
    expect(registry.list()).toContainEqual({
      name: "repeat-last",
      kind: "drafter",
      summary: undefined,
      guarantee: undefined,
      from: "@acme/repeat",
      isLoaded: false,
    });
    expect(plugin.load).not.toHaveBeenCalled();
  });

  test("compose() says how to load, load() imports once", async () => {
    const registry = createRegistry();
    const plugin = announced(repeatLastPlugin, "@acme/repeat");
    registry.announce(plugin);
    const error = thrown(() => registry.compose("decoder", "repeat-last"));
    expect(error.code).toBe("UNKNOWN_PART");
    expect(error.fix).toContain('registry.load("repeat-last")');
    expect(await registry.load("repeat-last")).toBe(repeatLastPlugin);
    await registry.load("repeat-last");
    expect(plugin.load).toHaveBeenCalledTimes(1);
    expect(registry.compose("decoder", "repeat-last").name).toBe("speculative(repeat-last)");
  });

  test("loading twice at once is harmless", async () => {
    const registry = createRegistry();
    registry.announce(announced(repeatLastPlugin, "@acme/repeat"));
    const loaded = await Promise.all([registry.load("repeat-last"), registry.load("repeat-last")]);
    expect(loaded).toEqual([repeatLastPlugin, repeatLastPlugin]);
  });

  test("composeAsync() imports what is named, at any depth, and nothing else", async () => {
    const registry = createRegistry();
    const drafter = announced(repeatLastPlugin, "@acme/repeat");
    const verifier = announced(lenientPlugin, "@acme/lenient");
    const schedule = announced(halvePlugin, "@acme/halve");
    for (const plugin of [drafter, verifier, schedule]) registry.announce(plugin);
    const json = { use: "speculative", drafters: ["repeat-last"], verifier: { use: "lenient" } };
    const decoder = await registry.composeAsync("decoder", json);
    expect(decoder.guarantee().reasons).toEqual(["lenient over draw-and-match"]);
    expect(drafter.load).toHaveBeenCalledTimes(1);
    expect(verifier.load).toHaveBeenCalledTimes(1);
    expect(schedule.load).not.toHaveBeenCalled();
  });

  test("a failing import reaches the caller", async () => {
    const registry = createRegistry();
    registry.announce({
      ...announced(repeatLastPlugin, "x"),
      load: () => Promise.reject(new Error("no file")),
    });
    await expect(registry.composeAsync("decoder", "repeat-last")).rejects.toThrow("no file");
  });

  test("an announcement that loads another plugin is named", async () => {
    const registry = createRegistry();
    registry.announce({ ...announced(halvePlugin, "@acme/repeat"), name: "repeat-last" });
    const error = await registry.composeAsync("decoder", "repeat-last").catch((reason) => reason);
    expect(error.code).toBe("INVALID_PLUGIN");
    expect(error.message).toBe('@acme/repeat announces repeat-last, but loads "halve".');
  });

  test("of two packages with one name the second is refused", () => {
    const registry = createRegistry();
    registry.announce(announced(repeatLastPlugin, "@acme/repeat"));
    const error = thrown(() => registry.announce(announced(repeatLastPlugin, "@other/repeat")));
    expect(error.code).toBe("NAME_TAKEN");
    expect(error.message).toMatch(/@acme\/repeat.*@other\/repeat/);
    const builtin = announced({ ...repeatLastPlugin, name: "plain" }, "@other/plain");
    expect(
      hasCode(
        thrown(() => registry.announce(builtin)),
        "NAME_TAKEN",
      ),
    ).toBe(true);
  });

  test("what the program registered itself stays", async () => {
    const registry = registryWith(repeatLastPlugin);
    const plugin = announced({ ...repeatLastPlugin }, "@acme/repeat");
    registry.announce(plugin);
    expect(await registry.load("repeat-last")).toBe(repeatLastPlugin);
    expect(plugin.load).not.toHaveBeenCalled();

    const other = createRegistry();
    other.announce(plugin);
    other.register(repeatLastPlugin, { from: "@acme/repeat" });
    expect(other.get("drafter", "repeat-last")).toBe(repeatLastPlugin);
  });
});
