import type { Backend } from "./device/backend.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import type { ModelWeights } from "./weights/model-weights.ts";

/** By device, because a device that was lost takes its engines along. */
const engines = new WeakMap<Backend, Map<string, Promise<Engine>>>();

/**
 * An engine for these weights: on a device with memory of its own the one that is there already, because a second copy
 * of the weights is what such memory has no room for.
 *
 * Takes over `source`, unless it throws.
 */
export async function engineFor(
  source: ModelWeights,
  backend: Backend,
  options: EngineOptions,
): Promise<Engine> {
  if (backend.attention !== "fused") return Engine.open(source, backend, options);
  const shared = engines.get(backend) ?? new Map<string, Promise<Engine>>();
  engines.set(backend, shared);
  const key = JSON.stringify([source.contentHash, options.dtype, options.poolRows]);
  for (let running = shared.get(key); running !== undefined; running = shared.get(key)) {
    const found = await running.catch(() => undefined);
    if (found && !found.isReleased) {
      found.retain();
      await source.dispose();
      return found;
    }
    // Whoever waited for the same one may have put another in its place by now.
    if (shared.get(key) === running) shared.delete(key);
  }
  // Nothing is awaited between looking and setting: two loads at once must not both open.
  const forget = () => {
    if (shared.get(key) === opening) shared.delete(key);
  };
  const opening = Engine.open(source, backend, options, forget);
  shared.set(key, opening);
  opening.catch(forget);
  return opening;
}
