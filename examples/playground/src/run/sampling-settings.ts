import type { WorkerGenerateOptions } from "@foretoken/runtime/worker";

/** What the page asks for about drawing tokens; a setting left out has the library's default. */
export interface SamplingSettings
  extends Pick<
    WorkerGenerateOptions,
    "temperature" | "topK" | "topP" | "minP" | "repetitionPenalty" | "maxTokens" | "seed" | "stop"
  > {}

/** A number a form asks for. */
export interface SamplingField {
  readonly name: Exclude<keyof SamplingSettings, "stop">;
  readonly label: string;
  readonly help: string;
  /** What leaving it out means. */
  readonly preset: string;
  readonly isWhole: boolean;
  readonly least: number;
  readonly most?: number;
}

/** All numbers, in the order in which they are asked for. */
export const SAMPLING_FIELDS: readonly SamplingField[] = [
  {
    name: "temperature",
    label: "Temperature",
    help: "0 takes the most probable token.",
    preset: "0",
    isWhole: false,
    least: 0,
  },
  {
    name: "topK",
    label: "Top k",
    help: "Keep this many tokens; 0 keeps all.",
    preset: "0",
    isWhole: true,
    least: 0,
  },
  {
    name: "topP",
    label: "Top p",
    help: "Keep the fewest tokens whose mass reaches this.",
    preset: "1",
    isWhole: false,
    least: 0,
    most: 1,
  },
  {
    name: "minP",
    label: "Min p",
    help: "Keep tokens at least this many times as probable as the best.",
    preset: "0",
    isWhole: false,
    least: 0,
    most: 1,
  },
  {
    name: "repetitionPenalty",
    label: "Repetition penalty",
    help: "Above 1 makes tokens of the text less probable.",
    preset: "1",
    isWhole: false,
    least: 0,
  },
  {
    name: "maxTokens",
    label: "Most tokens",
    help: "The answer ends after this many.",
    preset: "what fits",
    isWhole: true,
    least: 1,
  },
  {
    name: "seed",
    label: "Seed",
    help: "The same seed gives the same text.",
    preset: "random",
    isWhole: true,
    least: 0,
  },
];
