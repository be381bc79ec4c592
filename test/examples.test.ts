import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";

const folder = fileURLToPath(new URL("../examples", import.meta.url));
/** What each example must show; files without an entry are parts of others. */
const shows: Readonly<Record<string, RegExp>> = {
  "basic.ts": /tokens in \d+ passes, \d+\.\d\d a pass; the text is identical/,
  "streaming-with-abort.ts": /\[aborted after \d+ tokens\]/,
  "merged-drafters.ts": /prompt-lookup: \d+ of \d+ drafted tokens became text/,
  "custom-drafter.ts": /\S/,
  "from-json.ts": /speculative\(prompt-lookup, token-recycling\) identical/,
  "fewer-layers.ts": /the text is altered[\s\S]*layers of each row: 30 [\d ]* 26$/,
  "trained-drafts.ts":
    /plain: 1\.00 .+\nppd: \d\.\d\d tokens a pass, identical\nhidden-transfer: .+\nchimera: .+\nppd, typical: .+ altered\nlud: .+ altered$/,
  "cautious-answer.ts": /kept \d\.\d\d ".+"[\s\S]*Trials at a place: .+\n\d+ tokens computed for \d+ kept/,
};

afterEach(() => vi.restoreAllMocks());

test("every example is listed in the examples' README and here", async () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  expect(files.filter((name) => !(name in shows))).toEqual(["follow-last.ts"]);
  expect(Object.keys(shows).filter((name) => !files.includes(name))).toEqual([]);
});

test.each(Object.entries(shows))(
  "%s runs",
  async (name, expected) => {
    const shown: string[] = [];
    vi.spyOn(console, "log").mockImplementation((...values) => void shown.push(values.join(" ")));
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      shown.push(String(text));
      return true;
    });
    await import(`${folder}/${name}`);
    vi.restoreAllMocks();
    expect(shown.join("\n")).toMatch(expected);
  },
  120_000,
);
