import { isNode, node } from "../sources/node.ts";

/** Drivers that compute on the CPU, by their manifests' names. */
const SOFTWARE = /lvp|lavapipe|swiftshader|llvmpipe/i;

const FOLDERS = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/**
 * Why `auto` should not even try the WebGPU provider in Node; `undefined` where it should. Without a driver the provider
 * writes warnings to the terminal that nobody can turn off, and one that computes on the CPU is slower than the CPU.
 *
 * @see https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md, "Driver Discovery on Linux"
 */
export async function noGpuDriver(): Promise<string | undefined> {
  if (!isNode || process.platform !== "linux") return undefined;
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const manifests =
    named === undefined ? await listManifests() : named.split(":").filter((path) => path !== "");
  if (manifests.some((manifest) => !SOFTWARE.test(manifest))) return undefined;
  return manifests.length === 0
    ? "no Vulkan driver is installed."
    : `the Vulkan drivers found compute in software (${manifests.join(", ")}).`;
}

async function listManifests(): Promise<string[]> {
  const lists = await Promise.all(FOLDERS.map((folder) => node.fs.readdir(folder).catch(() => [])));
  return lists.flat().filter((name) => name.endsWith(".json"));
}
