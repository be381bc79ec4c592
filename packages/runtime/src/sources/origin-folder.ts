const ROOT = "foretoken";

/**
 * Why there is no origin private file system that can be written here; `undefined` when there is one.
 *
 * It takes a page from https or localhost, outside private windows of some browsers. Safari before 26 writes it in workers only.
 */
export async function originFolderMissing(): Promise<string | undefined> {
  const storage = globalThis.navigator?.storage;
  if (storage?.getDirectory === undefined) {
    return globalThis.isSecureContext === false
      ? "the page does not come from https or localhost"
      : "this browser has no origin private file system";
  }
  const { prototype } = globalThis.FileSystemFileHandle;
  if (!("move" in prototype)) return "this browser cannot rename stored files";
  if (!("createSyncAccessHandle" in prototype || "createWritable" in prototype)) {
    return "this browser stores files in workers only";
  }
  try {
    await storage.getDirectory();
    return undefined;
  } catch (error) {
    return `this browser refuses to store files (${error instanceof Error ? error.message : error})`;
  }
}

/** A folder of ours, made where it is missing. */
export async function openOriginFolder(...path: readonly string[]): Promise<FileSystemDirectoryHandle> {
  let folder = await navigator.storage.getDirectory();
  for (const name of [ROOT, ...path]) folder = await folder.getDirectoryHandle(name, { create: true });
  return folder;
}

/** @throws `DOMException` when there is no such file. */
export async function readOriginText(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
  return (await (await folder.getFileHandle(name)).getFile()).text();
}

/** Replaces a small file; a reader may see it half written, and must check what it reads. */
export async function writeOriginText(
  folder: FileSystemDirectoryHandle,
  name: string,
  text: string,
): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  if ("createWritable" in handle) {
    const stream = await handle.createWritable();
    await stream.write(text);
    await stream.close();
    return;
  }
  const file = await openDirectly(handle);
  try {
    file.truncate(0);
    file.write(new TextEncoder().encode(text), { at: 0 });
    file.flush();
  } finally {
    file.close();
  }
}

/** An open file that is read and written in place. */
export interface DirectFile {
  getSize(): number;
  read(buffer: Uint8Array, options: { readonly at: number }): number;
  /** @returns Bytes written. */
  write(buffer: Uint8Array, options: { readonly at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** Opens a file alone; dedicated workers only, which TypeScript's types of pages do not know. */
export function openDirectly(handle: FileSystemFileHandle): Promise<DirectFile> {
  return (handle as unknown as { createSyncAccessHandle(): Promise<DirectFile> }).createSyncAccessHandle();
}
