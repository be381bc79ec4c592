import { DecodingError } from "@foretoken/core";
import { checkOwner, type OwningModel } from "./successor-owner.ts";
import type { SuccessorTable } from "./successor-table.ts";
import { loadSuccessors } from "./table-file.ts";

/** A table that an option gives: the table itself, or the path of its file, which is read once, when it is first needed. */
export class GivenSuccessors {
  readonly #given: SuccessorTable | string;
  readonly #option: string;
  readonly #order: 1 | 2;
  #table: SuccessorTable | undefined;

  /**
   * @param option - What messages call it, such as "table of bigram".
   * @param order - Tokens of a context in tables that will do.
   */
  constructor(given: SuccessorTable | string, option: string, order: 1 | 2) {
    this.#given = given;
    this.#option = option;
    this.#order = order;
  }

  /**
   * Reads the file where there is one; for `Drafter.prepare`.
   * @throws `TABLE_INVALID` when it is no table, or one for another model; `INVALID_OPTION` when its order is another.
   */
  async prepare(model: OwningModel): Promise<void> {
    if (this.#table === undefined) {
      const given = this.#given;
      this.#table = typeof given === "string" ? await loadSuccessors(given, model) : given;
    }
    this.#check(this.#table, model);
  }

  /** The table. @throws as {@link GivenSuccessors.prepare}; `INVALID_OPTION` for a file before it was read. */
  tableFor(model: OwningModel): SuccessorTable {
    const table = this.#table ?? this.#given;
    if (typeof table === "string") {
      throw new DecodingError("INVALID_OPTION", {
        message: `The ${this.#option} is the file ${table}, which was not read yet.`,
        fix: "Call prepare(model) of the drafter first, as generate() does, or pass the table itself.",
      });
    }
    this.#check(table, model);
    return table;
  }

  #check(table: SuccessorTable, model: OwningModel): void {
    checkOwner(table, model, `The ${this.#option}`);
    if (table.order === this.#order) return;
    throw new DecodingError("INVALID_OPTION", {
      message: `The ${this.#option} has contexts of ${table.order} tokens, but must have contexts of ${this.#order}.`,
      fix: `Pass a table of order ${this.#order}.`,
    });
  }
}

/** Whether an option holds a table; by shape, for it may come from another copy of this package. */
export const isSuccessorTable = (value: unknown): value is SuccessorTable => {
  const { order, rows, arrays } = (value ?? {}) as Partial<SuccessorTable>;
  return (order === 1 || order === 2) && typeof rows === "number" && arrays?.keys instanceof Float64Array;
};

/**
 * The table that a text in JSON names: a resource of the composing program, else a path.
 * @throws `INVALID_OPTION` for a resource that is no table.
 */
export function namedSuccessors(
  given: SuccessorTable | string | undefined,
  resources: Readonly<Record<string, unknown>>,
): SuccessorTable | string | undefined {
  const resource = typeof given === "string" ? resources[given] : undefined;
  if (resource === undefined || isSuccessorTable(resource)) return resource ?? given;
  throw new DecodingError("INVALID_OPTION", {
    message: `The resource "${String(given)}" is no table of successors.`,
    fix: "Pass a SuccessorTable as the resource, or name the path of a file.",
  });
}
