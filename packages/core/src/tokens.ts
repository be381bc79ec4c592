/** A token's index in the model's vocabulary, `0 <= id < vocabularySize`. */
export type TokenId = number;
