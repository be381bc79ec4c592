import { DecodingError, type Model } from "@foretoken/core";
import { z } from "zod";
import { partMisfit } from "./part-manifest.ts";
import type { TrainedPart } from "./trained-part.ts";

/** Reads the option that takes a trained part: one that is loaded, or the folder of one. */
export function partSchema<Part extends TrainedPart>() {
  return z
    .string()
    .min(1)
    .or(
      z.custom<Part | URL>((value) => isPart(value) || value instanceof URL, {
        error: "expected a loaded part",
      }),
    )
    .describe("The folder of the trained part; in JSON also its name among the resources");
}

/** What an option of {@link partSchema} means in JSON: a name among the resources stands for what lies there. */
export function namedPart<Part extends TrainedPart>(
  given: Part | URL | string,
  resources: Readonly<Record<string, unknown>>,
): Part | URL | string {
  const resource = typeof given === "string" ? resources[given] : undefined;
  return isPart(resource) || isFolder(resource) ? (resource as Part | URL | string) : given;
}

/** A trained part as an option gives it, loaded when it is needed first. */
export class GivenPart<Part extends TrainedPart> {
  readonly #given: URL | string | undefined;
  readonly #load: (folder: URL | string) => Promise<Part>;
  readonly #user: string;
  readonly #misfit: (manifest: Part["manifest"], target: Model) => string | undefined;
  #part: Part | undefined;

  /**
   * @param load - Loads it from its folder.
   * @param user - Name of the part that uses it, for messages.
   * @param misfit - Why it does not fit a target. Default: it belongs to the weights that it was trained on.
   */
  constructor(
    given: Part | URL | string,
    load: (folder: URL | string) => Promise<Part>,
    user: string,
    misfit: (manifest: Part["manifest"], target: Model) => string | undefined = partMisfit,
  ) {
    if (isPart(given)) this.#part = given as Part;
    else this.#given = given as URL | string;
    this.#load = load;
    this.#user = user;
    this.#misfit = misfit;
  }

  /** Why it does not fit a target, once it is loaded. */
  unsupported(target: Model): readonly string[] {
    const misfit = this.#part && this.#misfit(this.#part.manifest, target);
    return misfit === undefined ? [] : [misfit];
  }

  /** Loads it. @throws `UNSUPPORTED` when it does not fit the target; as loading does */
  async prepare(target: Model): Promise<Part> {
    this.#part ??= await this.#load(this.#given!);
    const [reason] = this.unsupported(target);
    if (reason === undefined) return this.#part;
    throw new DecodingError("UNSUPPORTED", {
      message: reason,
      fix: "Use a part that was trained on the target's weights.",
    });
  }

  /** The loaded part. @throws `UNSUPPORTED` before `prepare` */
  get part(): Part {
    if (this.#part !== undefined) return this.#part;
    throw new DecodingError("UNSUPPORTED", {
      message: `${this.#user} was started before its trained part was loaded.`,
      fix: "Await the decoder's prepare(model) first, as generate() does.",
    });
  }
}

// By shape: a part may come from another copy of this package.
function isPart(value: unknown): value is TrainedPart {
  return typeof (value as TrainedPart | undefined)?.tensor === "function";
}

function isFolder(value: unknown): value is URL | string {
  return value instanceof URL || (typeof value === "string" && value !== "");
}
