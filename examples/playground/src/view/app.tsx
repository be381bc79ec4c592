import { modelState } from "../state/model.ts";
import { Conversation } from "./conversation.tsx";
import { DecoderForm } from "./decoder-form.tsx";
import { FileDrop } from "./file-drop.tsx";
import { Inspector } from "./inspector.tsx";
import { ModelLoader } from "./model-loader.tsx";
import { PageHeader } from "./page-header.tsx";
import { SamplingForm } from "./sampling-form.tsx";

/** The page: settings, the conversation, and what decoding did. */
export function App() {
  return (
    <FileDrop>
      <a class="skip" href="#conversation">
        Skip to the conversation
      </a>
      <PageHeader />
      <main class="columns">
        <Settings />
        <div class="middle" id="conversation">
          {modelState.value.is === "ready" ? <Conversation /> : <ModelLoader />}
        </div>
        <Inspector />
      </main>
    </FileDrop>
  );
}

/** Open where there is room; a phone shows the conversation first. */
const hasRoom = matchMedia("(min-width: 60rem)").matches;

function Settings() {
  return (
    <details class="settings" open={hasRoom}>
      <summary>Decoder and sampling</summary>
      <DecoderForm />
      <SamplingForm />
    </details>
  );
}
