import { useId } from "preact/hooks";
import { browserFacts } from "../state/browser.ts";
import { type LoadChoice, load, loadChoice, type ModelState, modelState } from "../state/model.ts";
import { servedModels } from "../state/served-models.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { counted, megabytes } from "./format.ts";

/** Where a model comes from: the server, or a file of the user's. */
export function ModelLoader() {
  const state = modelState.value;
  if (state.is === "loading") return <LoadProgress state={state} />;
  return (
    <section class="loader" aria-labelledby="loader-title">
      <h2 id="loader-title">Load a model</h2>
      <p class="lead">
        A GGUF file of the llama family. It runs on this machine: in a worker of this page, on the GPU where
        the browser has one, else as WebAssembly.
      </p>
      {state.is === "none" && state.error !== undefined && <ErrorNotice error={state.error} />}
      <ServedModels />
      <FilePicker />
      <LoadChoices />
      <BrowserReport />
    </section>
  );
}

function ServedModels() {
  const models = servedModels.value;
  if (models === undefined) return <p class="aside">Asking the server for models…</p>;
  if (models.length === 0) {
    return (
      <p class="aside">
        This server has no model. <code>npx foretoken demo</code> fetches one to where the server looks.
      </p>
    );
  }
  return (
    <ul class="models" aria-label="Models on this server">
      {models.map(({ name, address, bytes }, index) => (
        <li key={address}>
          <button type="button" class={index === 0 ? "primary" : ""} onClick={() => load(address, name)}>
            Load {name}
          </button>
          <span class="aside">{megabytes(bytes)}, from this server</span>
        </li>
      ))}
    </ul>
  );
}

function FilePicker() {
  const id = useId();
  return (
    <div class="picker">
      <label for={id}>Or choose a .gguf file, or drop it anywhere on the page</label>
      <input
        id={id}
        type="file"
        accept=".gguf"
        onChange={({ currentTarget: { files } }) => {
          const file = files?.[0];
          if (file !== undefined) load(file, file.name);
        }}
      />
    </div>
  );
}

const DEVICES: Readonly<Record<string, string>> = {
  auto: "best there is",
  webgpu: "WebGPU",
  wasm: "WebAssembly",
};
const DTYPES: Readonly<Record<string, string>> = {
  auto: "best for the device",
  stored: "as stored",
  q8: "8 bits",
  q4: "4 bits, loses quality",
  fp16: "16 bits, on GPUs that have them",
  fp32: "32 bits",
};

function LoadChoices() {
  const choice = loadChoice.value;
  const select = (label: string, key: keyof LoadChoice, names: Readonly<Record<string, string>>) => (
    <div class="field">
      <label for={`load-${key}`}>{label}</label>
      <select
        id={`load-${key}`}
        value={choice[key]}
        onChange={({ currentTarget: { value } }) => {
          loadChoice.value = { ...choice, [key]: value };
        }}
      >
        {Object.entries(names).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
  return (
    <div class="fields">
      {select("Device", "device", DEVICES)}
      {select("Weights", "dtype", DTYPES)}
    </div>
  );
}

function BrowserReport() {
  const facts = browserFacts.value;
  if (facts === undefined) return null;
  const { webgpu, isIsolated, threads, canKeep } = facts;
  return (
    <dl class="facts">
      <dt>WebGPU</dt>
      <dd>{webgpu.isThere ? webgpu.text : `not there: ${webgpu.text}. WebAssembly takes its place.`}</dd>
      <dt>Threads</dt>
      <dd>
        {isIsolated
          ? counted(threads, "thread")
          : "1: the page is not cross-origin isolated. Serve it with the headers COOP same-origin and COEP require-corp."}
      </dd>
      <dt>Disk</dt>
      <dd>
        {canKeep
          ? "models are kept in this browser"
          : "models cannot be kept: they are fetched at every visit"}
      </dd>
    </dl>
  );
}

const PHASES: Readonly<Record<string, string>> = {
  start: "Starting the worker",
  download: "Fetching",
  unpack: "Unpacking",
  prepare: "Preparing the graph and its weights",
};

function LoadProgress({ state }: { readonly state: Extract<ModelState, { is: "loading" }> }) {
  const { name, stage, cancel } = state;
  const isKnown = stage.total > 0;
  return (
    <section class="loader" aria-labelledby="loading-title">
      <h2 id="loading-title">Loading {name}</h2>
      <p role="status">{PHASES[stage.phase] ?? stage.phase}</p>
      <progress
        aria-labelledby="loading-title"
        {...(isKnown ? { max: stage.total, value: stage.loaded } : {})}
      />
      <p class="aside">{isKnown ? `${megabytes(stage.loaded)} of ${megabytes(stage.total)}` : " "}</p>
      <button type="button" onClick={cancel}>
        Cancel
      </button>
    </section>
  );
}
