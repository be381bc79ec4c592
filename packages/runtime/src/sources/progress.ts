/** How far loading is. */
export interface LoadProgress {
  /** `download`: from the hub or a package index; `unpack`: out of a package; `prepare`: the graph is written. */
  readonly phase: "download" | "unpack" | "prepare";
  /** What the phase works on: a file or package name. */
  readonly name: string;
  /** Bytes so far. */
  readonly loaded: number;
  /** Bytes in all; 0 when nobody knows. */
  readonly total: number;
}

/** Told often while loading; may be slow, may not throw. */
export type OnProgress = (progress: LoadProgress) => void;
