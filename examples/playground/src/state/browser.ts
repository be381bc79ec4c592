import { signal } from "@preact/signals";

/** What this browser offers, as sentences' parts. */
export interface BrowserFacts {
  /** The name of the WebGPU adapter, or why there is none. */
  readonly webgpu: { readonly isThere: boolean; readonly text: string };
  /** Whether the page is cross-origin isolated, which threads need. */
  readonly isIsolated: boolean;
  readonly threads: number;
  /** Whether models can be kept on this disk. */
  readonly canKeep: boolean;
}

export const browserFacts = signal<BrowserFacts | undefined>(undefined);

/** Asks the browser what it can do. */
export async function readBrowserFacts(): Promise<void> {
  browserFacts.value = {
    webgpu: await webgpu(),
    isIsolated: globalThis.crossOriginIsolated,
    threads: globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1,
    canKeep: "storage" in navigator && "getDirectory" in navigator.storage,
  };
}

/** What of WebGPU this file looks at; TypeScript's own library of the DOM does not have it. */
interface Gpu {
  requestAdapter(): Promise<{
    readonly info: Readonly<Record<"vendor" | "architecture" | "description", string>>;
    readonly features: ReadonlySet<string>;
  } | null>;
}

async function webgpu(): Promise<BrowserFacts["webgpu"]> {
  const { gpu } = navigator as Navigator & { readonly gpu?: Gpu };
  if (gpu === undefined) return { isThere: false, text: "this browser has none, or has it switched off" };
  try {
    const adapter = await gpu.requestAdapter();
    if (adapter === null) return { isThere: false, text: "the browser found no graphics adapter" };
    const { vendor, architecture, description } = adapter.info;
    const name =
      description || [vendor, architecture].filter(Boolean).join(" ") || "an adapter without a name";
    return { isThere: true, text: `${name}, ${adapter.features.has("shader-f16") ? "with" : "without"} f16` };
  } catch (error) {
    return { isThere: false, text: error instanceof Error ? error.message : String(error) };
  }
}
