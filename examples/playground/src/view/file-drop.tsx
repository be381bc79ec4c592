import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { isBusy } from "../state/conversation.ts";
import { load } from "../state/model.ts";

/** Takes a model file that is dropped anywhere on the page. */
export function FileDrop({ children }: { readonly children: ComponentChildren }) {
  const isOver = useSignal(false);
  const hasFile = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") && !isBusy.value;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keyboard's way is the file picker
    <div
      class="page"
      data-dropping={isOver.value || undefined}
      onDragOver={(event) => {
        if (!hasFile(event)) return;
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={({ relatedTarget }) => {
        if (relatedTarget === null) isOver.value = false;
      }}
      onDrop={(event) => {
        isOver.value = false;
        if (!hasFile(event)) return;
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) load(file, file.name);
      }}
    >
      {children}
    </div>
  );
}
