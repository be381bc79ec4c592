import { expect, test, vi } from "vitest";

/** What an application with two copies of this package holds. */
async function copyOfCore() {
  vi.resetModules();
  const [errors, registry, plugins, verifiers] = await Promise.all([
    import("./errors.ts"),
    import("./part-registry.ts"),
    import("./__fixtures__/example-plugins.ts"),
    import("./verifiers.ts"),
  ]);
  return { ...errors, ...registry, ...plugins, ...verifiers };
}

const ours = await copyOfCore();
const theirs = await copyOfCore();

test("H2: the copies are really two", () => {
  expect(ours.DecodingError).not.toBe(theirs.DecodingError);
  expect(ours.registry).not.toBe(theirs.registry);
});

test("H2: codes are recognised across copies", () => {
  const details = { message: "m", fix: "f" };
  const foreign = new theirs.DecodingError("NAME_TAKEN", details);
  expect(foreign instanceof ours.DecodingError).toBe(false);
  expect(ours.hasCode(foreign, "NAME_TAKEN")).toBe(true);
});

test("H2: a plugin of one copy is registered and composed in the other, nested parts included", () => {
  const registry = ours.createRegistry();
  registry.register(theirs.repeatLastPlugin);
  registry.register(theirs.lenientPlugin);
  const decoder = registry.compose("decoder", {
    use: "speculative",
    drafters: { use: "repeat-last", length: 4 },
    verifier: { use: "lenient", inner: "rejection" },
  });
  expect(decoder.name).toBe("speculative(repeat-last)");
  expect(decoder.guarantee().reasons).toEqual(["lenient over rejection"]);
  expect(registry.describe("lenient").options).toMatchObject({ properties: { inner: { part: "verifier" } } });
});

test("H2: a part built by one copy is an option in the other", () => {
  const registry = ours.createRegistry();
  registry.register(ours.lenientPlugin);
  const inner = theirs.rejection();
  expect(registry.compose("verifier", { use: "lenient", inner }).name).toBe("lenient(rejection)");
});
