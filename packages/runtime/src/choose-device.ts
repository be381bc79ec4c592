import { type DecodingError, hasCode } from "@foretoken/core";
import type { DeviceName } from "./device/backend.ts";
import { openBackend } from "./device/open-backend.ts";

/** A device, and why it was taken. */
export interface DeviceChoice {
  readonly device: DeviceName;
  /** One sentence. */
  readonly reason: string;
  /** Whether a faster device was wanted first. */
  readonly isFallback: boolean;
}

/**
 * Takes the device that was asked for, or the best that loads; before anything is downloaded.
 *
 * `auto` is the native CPU where onnxruntime-node loads, else wasm.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE`
 */
export async function chooseDevice(
  wanted: DeviceName | "auto",
  open: (device: DeviceName) => Promise<unknown> = openBackend,
): Promise<DeviceChoice> {
  if (wanted !== "auto") {
    await open(wanted);
    return { device: wanted, reason: `Device "${wanted}" was asked for.`, isFallback: false };
  }
  let missing: DecodingError;
  try {
    await open("cpu");
    return { device: "cpu", reason: "onnxruntime-node loads on this machine.", isFallback: false };
  } catch (error) {
    if (!hasCode(error, "DEVICE_UNAVAILABLE")) throw error;
    missing = error;
  }
  await open("wasm");
  return { device: "wasm", reason: `Device "wasm" was taken. ${missing.message}`, isFallback: true };
}
