import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder } from "./cache-folder.ts";

test.each([
  [
    "FORETOKEN_CACHE wins",
    { FORETOKEN_CACHE: "somewhere", XDG_CACHE_HOME: "/x" },
    "linux",
    resolve("somewhere"),
  ],
  ["Linux", {}, "linux", join(homedir(), ".cache/foretoken")],
  ["Linux with its own setting", { XDG_CACHE_HOME: "/x" }, "linux", "/x/foretoken"],
  [
    "a relative setting does not count",
    { XDG_CACHE_HOME: "x" },
    "linux",
    join(homedir(), ".cache/foretoken"),
  ],
  ["macOS", { XDG_CACHE_HOME: "/x" }, "darwin", join(homedir(), "Library/Caches/foretoken")],
  ["Windows", { LOCALAPPDATA: "/local" }, "win32", join("/local", "foretoken", "Cache")],
])("the cache is where the platform keeps caches: %s", (_, environment, platform, expected) => {
  expect(cacheFolder(environment, platform)).toBe(expected);
});
