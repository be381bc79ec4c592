/** Node's own modules, asked of the process instead of imported, so that bundlers for browsers have nothing to resolve. */
export const node = {
  get fs() {
    return process.getBuiltinModule("node:fs/promises");
  },
  get path() {
    return process.getBuiltinModule("node:path");
  },
  get os() {
    return process.getBuiltinModule("node:os");
  },
  get crypto() {
    return process.getBuiltinModule("node:crypto");
  },
  get childProcess() {
    return process.getBuiltinModule("node:child_process");
  },
};

/** Whether these modules exist: Node, and what behaves like it. */
export const isNode = typeof globalThis.process?.getBuiltinModule === "function";
