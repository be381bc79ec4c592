export { smollm2Draft } from "./smollm2-draft.ts";
