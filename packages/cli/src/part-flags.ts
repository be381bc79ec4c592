import { readFile } from "node:fs/promises";
import {
  type Decoder,
  DecodingError,
  hasCode,
  type LogitsProcessor,
  type Model,
  type PartKind,
  type Registry,
} from "@foretoken/core";
import { DEFAULT_DECODER } from "./default-decoder.ts";
import { announceInstalled, shippedRegistry } from "./parts.ts";

/**
 * A part as the command line gives it: a name, names with commas between (drafters to merge), or JSON.
 * @throws `INVALID_OPTION` for text that begins like JSON and is none.
 */
export function parsePart(text: string, flag: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "default") return DEFAULT_DECODER;
  if (/^[[{"]/.test(trimmed)) {
    try {
      return JSON.parse(trimmed);
    } catch (cause) {
      throw new DecodingError("INVALID_OPTION", {
        message: `${flag} ${trimmed.slice(0, 120)} is no JSON: ${(cause as Error).message}.`,
        fix: 'Give a name, such as prompt-lookup, or JSON in single quotes: \'{"use":"prompt-lookup","maxNgram":3}\'.',
        cause,
      });
    }
  }
  const names = trimmed.split(",").map((name) => name.trim());
  return names.length === 1 ? names[0] : names;
}

/** Flags that choose a decoder. */
export interface DecoderFlags {
  readonly decoder?: string;
  readonly decoderFile?: string;
}

/** What parts get besides their options. */
export interface PartResources {
  /** Loads a model that a part names, such as a draft. */
  readonly loadModel: (name: string) => Promise<Model>;
}

/**
 * Builds parts from flags. Plugins that this command does not come with are looked for only when one is named.
 */
export class PartBuilder {
  readonly #folder: string;
  readonly #resources: PartResources;
  readonly #registry: Registry = shippedRegistry();
  #isSearched = false;

  /** @param folder - Where the project is whose plugins may be named. */
  constructor(folder: string, resources: PartResources) {
    this.#folder = folder;
    this.#resources = resources;
  }

  /** The decoder that flags name, or the default one. @throws What composing throws, and `INVALID_OPTION` for flags that clash. */
  async decoder({ decoder, decoderFile }: DecoderFlags): Promise<Decoder> {
    if (decoder !== undefined && decoderFile !== undefined) {
      throw new DecodingError("INVALID_OPTION", {
        message: "Got both --decoder and --decoder-file.",
        fix: "Give one of them.",
      });
    }
    return decoderFile === undefined
      ? this.build("decoder", parsePart(decoder ?? "default", "--decoder"))
      : this.build(
          "decoder",
          parsePart(await readDecoderFile(decoderFile), `--decoder-file ${decoderFile}:`),
        );
  }

  /** The processors that `--processor` flags name, in order. */
  async processors(values: readonly string[] = []): Promise<readonly LogitsProcessor[]> {
    return Promise.all(values.map((value) => this.build("processor", parsePart(value, "--processor"))));
  }

  /** A part from its JSON form. */
  async build<Kind extends PartKind>(kind: Kind, value: unknown) {
    const resources = { ...this.#resources };
    try {
      return await this.#registry.composeAsync(kind, value as string, { resources });
    } catch (error) {
      if (!hasCode(error, "UNKNOWN_PART") || this.#isSearched) throw error;
      await announceInstalled(this.#registry, this.#folder);
      this.#isSearched = true;
      return this.#registry.composeAsync(kind, value as string, { resources });
    }
  }
}

async function readDecoderFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new DecodingError("INVALID_OPTION", {
      message: `--decoder-file ${path} cannot be read: ${(cause as Error).message}.`,
      fix: "Give the path of a file with a decoder as JSON.",
      cause,
    });
  }
}
