import { isBusy } from "../state/conversation.ts";
import { modelInfo, modelState, unload, warnings } from "../state/model.ts";
import { counted } from "./format.ts";
import { ThemeSwitch } from "./theme-switch.tsx";

/** What the page is, what model it has, and how it looks. */
export function PageHeader() {
  return (
    <header class="page-header">
      <h1>
        Foretoken <span>playground</span>
      </h1>
      <ModelFacts />
      <ThemeSwitch />
    </header>
  );
}

function ModelFacts() {
  const state = modelState.value;
  const info = modelInfo.value;
  if (state.is !== "ready" || info === undefined) return <p class="model-line">No model yet</p>;
  const { device, deviceReason, dtype, threads, layers, contextLength, runtimeVersion, selfTest } = info;
  return (
    <div class="model-line">
      <p>
        <strong>{state.name}</strong>{" "}
        <span>
          {device} · {dtype}
          {device === "wasm" && ` · ${counted(threads, "thread")}`}
        </span>
      </p>
      <details class="about-model">
        <summary>Why, and what else</summary>
        <div class="panel">
          <p>{deviceReason}</p>
          {warnings.value
            .filter((sentence) => sentence !== deviceReason)
            .map((sentence) => (
              <p key={sentence}>{sentence}</p>
            ))}
          <p>
            {counted(layers, "layer")}, context of {contextLength} tokens, ONNX Runtime {runtimeVersion}.{" "}
            {selfTest.verifiesTrees
              ? "The self-test found that it verifies trees rightly."
              : "The self-test failed: only chains are verified."}
          </p>
          <button type="button" disabled={isBusy.value} onClick={unload}>
            Unload
          </button>
        </div>
      </details>
    </div>
  );
}
