import fc from "fast-check";
import { expect, test } from "vitest";
import { type Match, MatchIndex } from "./match-index.ts";

/** One token for each word. */
function ids(text: string): number[] {
  return text.split(" ").map((word) => word.codePointAt(0)!);
}

function indexOf(tokens: readonly number[], shortest = 1, longest = 16): MatchIndex {
  const index = new MatchIndex(shortest, longest);
  for (const token of tokens) index.append(token);
  return index;
}

const matchOf = (text: string, shortest?: number, longest?: number): Match | undefined =>
  indexOf(ids(text), shortest, longest).longestMatch();
const word = (text: string) => ids(text)[0]!;

test("finds what followed the same tokens earlier", () => {
  expect(matchOf("t c s . t c", 2)).toEqual({ next: word("s"), length: 2, support: "alone" });
  expect(matchOf("t c s . t c", 3)).toBeUndefined();
  expect(matchOf("a b c")).toBeUndefined();
  expect(new MatchIndex(1, 4).longestMatch()).toBeUndefined();
});

test("prefers the longest match to a newer one", () => {
  expect(matchOf("x a b 1 . a b 2 . x a b", 2)?.next).toBe(word("1"));
});

test("prefers the newest among equally long matches", () => {
  expect(matchOf("a b 1 . a b 2 . a b", 2)?.next).toBe(word("2"));
});

test("counts no more tokens than asked for", () => {
  expect(matchOf("x a b 1 . a b 2 . x a b", 1, 2)).toMatchObject({ next: word("2"), length: 2 });
});

test("a match may overlap the end it matches", () => {
  expect(matchOf("a a a")).toMatchObject({ next: word("a"), length: 2 });
});

test("says what followed the other places", () => {
  expect(matchOf("a 1 . a")?.support).toBe("alone");
  expect(matchOf("a 1 . a 1 . a")?.support).toBe("unanimous");
  expect(matchOf("a 1 . a 2 - a 1 - a")?.support).toBe("majority");
  expect(matchOf("a 1 . a 2 . a")?.support).toBe("minority");
});

/** The rule, written down without an index. */
function slowMatch(text: readonly number[], shortest: number, longest: number): Match | undefined {
  const end = text.length - 1;
  const common = (place: number) => {
    let length = 0;
    while (length < Math.min(longest, place + 1) && text[place - length] === text[end - length]) length++;
    return length;
  };
  const places = text.map((_, place) => place).filter((place) => place < end && common(place) >= shortest);
  if (places.length === 0) return undefined;
  const length = Math.max(...places.map(common));
  const next = text[places.findLast((place) => common(place) === length)! + 1]!;
  const agreeing = places.filter((place) => text[place + 1] === next).length;
  const support =
    places.length === 1
      ? "alone"
      : agreeing === places.length
        ? "unanimous"
        : agreeing > places.length / 2
          ? "majority"
          : "minority";
  return { next, length, support };
}

const texts = fc.array(fc.nat(3), { maxLength: 60 });

test("finds what a search through the whole text finds", () => {
  fc.assert(
    fc.property(
      texts,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 3, max: 6 }),
      (text, shortest, longest) => {
        expect(indexOf(text, shortest, longest).longestMatch()).toEqual(slowMatch(text, shortest, longest));
      },
    ),
  );
});

test("after a truncation it is the index of the shorter text, and copies go their own way", () => {
  fc.assert(
    fc.property(texts, texts, texts, fc.nat(60), (text, rest, other, length) => {
      const index = indexOf(text);
      const copy = index.fork();
      index.truncate(length);
      for (const token of rest) index.append(token);
      for (const token of other) copy.append(token);
      expect(index.longestMatch()).toEqual(slowMatch([...text.slice(0, length), ...rest], 1, 16));
      expect(copy.longestMatch()).toEqual(slowMatch([...text, ...other], 1, 16));
    }),
  );
});

test("a place costs the same in a long text of one phrase", () => {
  const index = indexOf(Array.from({ length: 50_000 }, (_, at) => at % 7));
  const began = performance.now();
  for (let round = 0; round < 1_000; round++) {
    index.append((50_000 + round) % 7);
    expect(index.longestMatch()?.length).toBe(16);
  }
  // A search through the text would take minutes.
  expect(performance.now() - began).toBeLessThan(2_000);
});
