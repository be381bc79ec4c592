import { hasCode, type TokenId, type Tokenizer } from "@foretoken/core";

const MARKS = ".,\n?!:;)]}";
const SPACE = 32;

/**
 * Says which tokens end a trial.
 *
 * @param punctuation - `ids`: the first token of each of ten marks. `text`: tokens whose text ends in one, spaces left out.
 * Or the tokens themselves, for which no tokenizer is needed.
 */
export function punctuationTest(
  punctuation: "ids" | "text" | readonly TokenId[],
  tokenizer: Pick<Tokenizer, "encode" | "tokenBytes"> | undefined,
): (token: TokenId) => boolean {
  if (punctuation === "text") return (token) => endsInMark(tokenizer!.tokenBytes(token));
  const ids = new Set(
    punctuation === "ids" ? [...MARKS].flatMap((mark) => firstToken(tokenizer!, mark)) : punctuation,
  );
  return (token) => ids.has(token);
}

function firstToken(tokenizer: Pick<Tokenizer, "encode">, mark: string): readonly TokenId[] {
  try {
    return tokenizer.encode(mark).slice(0, 1);
  } catch (error) {
    // A model that cannot write the mark will not end a trial with it.
    if (hasCode(error, "UNKNOWN_TOKEN")) return [];
    throw error;
  }
}

function endsInMark(bytes: Uint8Array): boolean {
  const last = bytes.findLast((byte) => byte !== SPACE);
  return last !== undefined && MARKS.includes(String.fromCharCode(last));
}
