/**
 * The part of ONNX's protobuf schema that Tidemark reads and writes, from the published field numbers
 * (onnx/onnx.proto). The table below is both the run-time descriptor and, through `MessageOf`, the TypeScript
 * type. Enumerations are read as numbers. Packed number lists of tensors are kept as the bytes they arrive in,
 * so that megabytes of weights are not boxed one by one; packed.ts decodes them on demand.
 */
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { limits } from '../../limits.ts';

const tables = {
  ModelProto: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto[]'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  GraphProto: {
    node: [1, 'NodeProto[]'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto[]'],
    input: [11, 'ValueInfoProto[]'],
    output: [12, 'ValueInfoProto[]'],
    valueInfo: [13, 'ValueInfoProto[]'],
    sparseInitializer: [15, 'SparseTensorProto[]'],
  },
  NodeProto: {
    input: [1, 'string[]'],
    output: [2, 'string[]'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'AttributeProto[]'],
    domain: [7, 'string'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    t: [5, 'TensorProto'],
    g: [6, 'GraphProto'],
    floats: [7, 'float[]'],
    ints: [8, 'int64[]'],
    strings: [9, 'bytes[]'],
    refAttrName: [21, 'string'],
    type: [20, 'int32'],
  },
  TensorProto: {
    dims: [1, 'int64[]'],
    dataType: [2, 'int32'],
    floatData: [4, 'bytes[]'],
    int32Data: [5, 'bytes[]'],
    int64Data: [7, 'bytes[]'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'bytes[]'],
    uint64Data: [11, 'bytes[]'],
    externalData: [13, 'StringStringEntryProto[]'],
    dataLocation: [14, 'int32'],
  },
  SparseTensorProto: { values: [1, 'TensorProto'] },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'] },
  TypeProto: {
    tensorType: [1, 'TensorTypeProto'],
    sequenceType: [4, 'OtherTypeProto'],
    mapType: [5, 'OtherTypeProto'],
    sparseTensorType: [8, 'OtherTypeProto'],
    optionalType: [9, 'OtherTypeProto'],
  },
  TensorTypeProto: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  OtherTypeProto: {},
  TensorShapeProto: { dim: [1, 'DimensionProto[]'] },
  DimensionProto: { dimValue: [1, 'int64'], dimParam: [2, 'string'] },
} as const;

type Tables = typeof tables;
type MessageName = keyof Tables;
type Scalars = { string: string; bytes: Uint8Array; int32: number; float: number; int64: bigint };
type FieldOf<T extends string> = T extends `${infer E}[]`
  ? One<E>[]
  : T extends MessageName
    ? MessageOf<T> | undefined
    : One<T>;
type One<T extends string> = T extends keyof Scalars
  ? Scalars[T]
  : T extends MessageName
    ? MessageOf<T>
    : never;
type MessageOf<N extends MessageName> = {
  [F in keyof Tables[N]]: Tables[N][F] extends readonly [number, infer T extends string] ? FieldOf<T> : never;
};
/** What a writer gives: every field may be left out. */
type InitOf<T> = T extends Uint8Array | bigint
  ? T
  : T extends (infer E)[]
    ? InitOf<E>[]
    : T extends object
      ? { [K in keyof T]?: InitOf<T[K]> }
      : T;

export type ModelProto = MessageOf<'ModelProto'>;
export type GraphProto = MessageOf<'GraphProto'>;
export type NodeProto = MessageOf<'NodeProto'>;
export type AttributeProto = MessageOf<'AttributeProto'>;
export type TensorProto = MessageOf<'TensorProto'>;
export type ValueInfoProto = MessageOf<'ValueInfoProto'>;
export type TypeProto = MessageOf<'TypeProto'>;
export type ModelInit = InitOf<ModelProto>;
export type TensorInit = InitOf<TensorProto>;

const SCALAR_TYPES: Record<string, Type> = {
  string: Type.STRING,
  bytes: Type.BYTES,
  int32: Type.INT32,
  int64: Type.INT64,
  float: Type.FLOAT,
};

/** floatData -> float_data: protobuf derives the local name back from it. */
function snake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}

function fieldDescriptor(name: string, number: number, type: string) {
  const element = type.replace('[]', '');
  return {
    name: snake(name),
    number,
    label: type === element ? Label.OPTIONAL : Label.REPEATED,
    type: SCALAR_TYPES[element] ?? Type.MESSAGE,
    typeName: element in SCALAR_TYPES ? '' : `.onnx.${element}`,
  };
}

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      create(FileDescriptorProtoSchema, {
        name: 'onnx.proto',
        package: 'onnx',
        syntax: 'proto2',
        messageType: Object.entries(tables).map(([name, fields]) => ({
          name,
          field: Object.entries(fields as Record<string, readonly [number, string]>).map(
            ([field, [number, type]]) => fieldDescriptor(field, number, type),
          ),
        })),
      }),
    ],
  }),
);

function descriptor(name: MessageName): DescMessage {
  return registry.getMessage(`onnx.${name}`)!;
}

const decoding = () => ({ readUnknownFields: false, recursionLimit: limits.nesting });

/** Bytes to a message. Throws whatever the protobuf decoder throws on damaged bytes. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return fromBinary(descriptor('ModelProto'), bytes, decoding()) as unknown as ModelProto;
}

export function decodeTensor(bytes: Uint8Array): TensorProto {
  return fromBinary(descriptor('TensorProto'), bytes, decoding()) as unknown as TensorProto;
}

export function encodeModel(model: ModelInit): Uint8Array {
  const schema = descriptor('ModelProto');
  return toBinary(schema, create(schema, model as never));
}

export function encodeTensor(tensor: TensorInit): Uint8Array {
  const schema = descriptor('TensorProto');
  return toBinary(schema, create(schema, tensor as never));
}
