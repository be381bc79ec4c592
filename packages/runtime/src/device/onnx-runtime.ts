import type { InferenceSession, Tensor } from "onnxruntime-web";
import { WEIGHTS_FILE } from "../graph/weights-file.ts";
import type { HostTensor, LoadableGraph } from "./backend.ts";

/** What the packages of ONNX Runtime have in common. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (
    type: HostTensor["type"],
    data: HostTensor["data"],
    shape: readonly number[],
  ) => Tensor;
}

/** Tensors by the name of an input. */
export type Feeds = Record<string, Tensor>;

/** Session options that let a graph find its weights. */
export function weightOptions({ weights }: LoadableGraph): InferenceSession.SessionOptions {
  if ("bytes" in weights) return { externalData: [{ path: WEIGHTS_FILE, data: weights.bytes }] };
  return { extra: { session: { model_external_initializers_file_folder_path: weights.folder } } };
}

/** A view of a host tensor. */
export function toTensor({ Tensor }: OnnxRuntime, { type, data, shape }: HostTensor): Tensor {
  return new Tensor(type, data, shape);
}
