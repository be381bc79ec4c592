import type { ByteSource } from "../weights/byte-source.ts";

/** What is known about a file that was downloaded whole. */
export interface FileRecord {
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the file, hex, taken while it came. */
  readonly sha256: string;
  /** `sampleHash` of what was stored. */
  readonly samples: string;
  /** The server's `ETag`, or else its `Last-Modified`; `undefined` when it sends neither. */
  readonly validator: string | undefined;
}

/** A file that is whole. */
export interface StoredFile {
  readonly record: FileRecord;
  /** The bytes; the caller disposes the source. */
  readonly source: ByteSource;
}

/** A file on its way, under a name of its own. */
export interface PartialFile {
  /** Bytes so far. */
  readonly size: number;
  /** Of the version these bytes are from. */
  readonly validator: string | undefined;
  /** Forgets the bytes and begins with another version. @throws `CACHE_NOT_WRITABLE` */
  restart(validator: string | undefined): Promise<void>;
  /** @throws `CACHE_NOT_WRITABLE` when it is known that so many more bytes find no room. */
  reserve(bytes: number): Promise<void>;
  /** @throws `CACHE_NOT_WRITABLE` */
  append(bytes: Uint8Array): Promise<void>;
  /** The bytes so far; valid until the next call. */
  content(): Promise<ByteSource>;
  /** Lets go; `keep` leaves the bytes for the next call, where the store resumes. Harmless when it is done already. */
  close(options: { readonly keep: boolean }): Promise<void>;
  /** Gives the file its final name, and lets go. */
  finish(record: FileRecord): Promise<StoredFile>;
}

/** Where downloaded files stay. Names are made of letters, digits and hyphens. */
export interface FileStore {
  /** Whether a part that was kept is there at the next call. */
  readonly resumes: boolean;
  /** Whether a file that finds no room is taken into memory instead. */
  readonly spills: boolean;
  /** A file that was finished, as it is now: the caller checks it. */
  find(name: string): Promise<StoredFile | undefined>;
  /** What there is of a file that is not finished; empty at first. @throws `CACHE_NOT_WRITABLE` */
  partial(name: string): Promise<PartialFile>;
  remove(name: string): Promise<void>;
  /** Runs `work` while no other page or process works on the file, where the platform can tell. */
  alone<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
}
