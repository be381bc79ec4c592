import { signal } from "@preact/signals";

/** A model that the server of this page has. */
export interface ServedModel {
  readonly name: string;
  /** Relative to the page. */
  readonly address: string;
  readonly bytes: number;
}

/** `undefined` until the server answered. */
export const servedModels = signal<readonly ServedModel[] | undefined>(undefined);

/** Asks the server which models it has; one that does not know the question has none. */
export async function findServedModels(): Promise<void> {
  try {
    const response = await fetch("models/");
    const isList = response.headers.get("content-type")?.startsWith("application/json");
    servedModels.value = response.ok && isList ? await response.json() : [];
  } catch {
    servedModels.value = [];
  }
}
