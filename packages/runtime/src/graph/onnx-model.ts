import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Element types of the tensors we write, with their numbers in `onnx.proto` (TensorProto.DataType). */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

/** The types a graph may compute in. */
export type FloatType = "float32" | "float16";

/** The element type of a tensor in a graph. */
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A named input or output of a graph; a string in the shape is a dimension known only when it runs. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

/** Where a tensor's bytes lie: in the model itself, or in the weights file beside it. */
export type TensorBytes =
  | { readonly raw: Uint8Array }
  | { readonly location: string; readonly offset: number; readonly length: number };

/** A constant of a graph. */
export interface GraphConstant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: TensorBytes;
}

/** An attribute of a node: integers as `bigint`, so that `1` and `1.0` cannot be mixed up. */
export type GraphAttribute = bigint | number | string | readonly bigint[] | OnnxGraph;

/** One operator. An empty input name leaves out an optional input. */
export interface GraphNode {
  readonly operator: string;
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, GraphAttribute>>;
}

/** A graph, nodes in an order in which they can run. */
export interface OnnxGraph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly constants: readonly GraphConstant[];
}

/** Operator sets the graphs are written for. */
const OPERATOR_SETS = { "": 21, "com.microsoft": 1 } as const;
const INTERMEDIATE_REPRESENTATION = 10;

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { float: 1, integer: 2, string: 3, graph: 5, integers: 7 } as const;

const length = (writer: BinaryWriter, field: number) => writer.tag(field, WireType.LengthDelimited);
const varint = (writer: BinaryWriter, field: number) => writer.tag(field, WireType.Varint);

/**
 * Encodes a graph as an ONNX `ModelProto`; field numbers are those of `onnx.proto3`,
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3. Only what our graphs use is written.
 */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  varint(writer, 1).int64(INTERMEDIATE_REPRESENTATION);
  length(writer, 2).string("foretoken");
  length(writer, 7).fork();
  writeGraph(writer, graph);
  writer.join();
  for (const [domain, version] of Object.entries(OPERATOR_SETS)) {
    length(writer, 8).fork();
    length(writer, 1).string(domain);
    varint(writer, 2).int64(version);
    writer.join();
  }
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) {
    length(writer, 1).fork();
    writeNode(writer, node);
    writer.join();
  }
  length(writer, 2).string("decoder");
  for (const constant of graph.constants) {
    length(writer, 5).fork();
    writeConstant(writer, constant);
    writer.join();
  }
  for (const [field, values] of [
    [11, graph.inputs],
    [12, graph.outputs],
  ] as const) {
    for (const value of values) {
      length(writer, field).fork();
      writeValue(writer, value);
      writer.join();
    }
  }
}

function writeNode(writer: BinaryWriter, node: GraphNode): void {
  for (const input of node.inputs) length(writer, 1).string(input);
  for (const output of node.outputs) length(writer, 2).string(output);
  length(writer, 3).string(node.outputs[0]);
  length(writer, 4).string(node.operator);
  for (const [name, value] of Object.entries(node.attributes)) {
    length(writer, 5).fork();
    length(writer, 1).string(name);
    writeAttribute(writer, value);
    writer.join();
  }
  if (node.domain !== "") length(writer, 7).string(node.domain);
}

function writeAttribute(writer: BinaryWriter, value: GraphAttribute): void {
  const type = (name: keyof typeof ATTRIBUTE_TYPES) => varint(writer, 20).int32(ATTRIBUTE_TYPES[name]);
  if (typeof value === "number") {
    writer.tag(2, WireType.Bit32).float(value);
    type("float");
  } else if (typeof value === "bigint") {
    varint(writer, 3).int64(value);
    type("integer");
  } else if (typeof value === "string") {
    length(writer, 4).string(value);
    type("string");
  } else if ("nodes" in value) {
    length(writer, 6).fork();
    writeGraph(writer, value);
    writer.join();
    type("graph");
  } else {
    for (const item of value) varint(writer, 8).int64(item);
    type("integers");
  }
}

function writeConstant(writer: BinaryWriter, constant: GraphConstant): void {
  for (const size of constant.shape) varint(writer, 1).int64(size);
  varint(writer, 2).int32(ELEMENT_TYPES[constant.type]);
  length(writer, 8).string(constant.name);
  if ("raw" in constant.bytes) {
    length(writer, 9).bytes(constant.bytes.raw);
    return;
  }
  const { location, offset, length: size } = constant.bytes;
  for (const [key, value] of Object.entries({ location, offset: `${offset}`, length: `${size}` })) {
    length(writer, 13).fork();
    length(writer, 1).string(key);
    length(writer, 2).string(value);
    writer.join();
  }
  varint(writer, 14).int32(1); // data_location EXTERNAL
}

function writeValue(writer: BinaryWriter, value: GraphValue): void {
  length(writer, 1).string(value.name);
  length(writer, 2).fork(); // TypeProto
  length(writer, 1).fork(); // TypeProto.Tensor
  varint(writer, 1).int32(ELEMENT_TYPES[value.type]);
  length(writer, 2).fork(); // TensorShapeProto
  for (const size of value.shape) {
    length(writer, 1).fork();
    if (typeof size === "number") varint(writer, 1).int64(size);
    else length(writer, 2).string(size);
    writer.join();
  }
  writer.join();
  writer.join();
  writer.join();
}
