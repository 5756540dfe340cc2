/** Writes small TFLite files for tests, right ones and deliberately wrong ones. */
import { Builder, type Offset } from 'flatbuffers';
import { type FileType, TENSOR_TYPES } from '../schema.ts';

export interface TestTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly signature?: readonly number[];
  readonly type?: FileType;
  /** Bytes of a constant. */
  readonly data?: Uint8Array;
  readonly scale?: readonly number[];
  readonly zeroPoint?: readonly number[];
  readonly dimension?: number;
  readonly variable?: boolean;
  readonly sparse?: boolean;
}

export interface TestNode {
  readonly code: number;
  readonly custom?: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Writes the fields of the option table. */
  readonly options?: (builder: Builder) => void;
}

export interface TestModel {
  readonly tensors: readonly TestTensor[];
  readonly nodes: readonly TestNode[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly version?: number;
}

export function ints(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

export function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function intVector(b: Builder, values: readonly number[]): Offset {
  b.startVector(4, values.length, 4);
  for (const v of [...values].reverse()) b.addInt32(v);
  return b.endVector();
}

function floatVector(b: Builder, values: readonly number[]): Offset {
  b.startVector(4, values.length, 4);
  for (const v of [...values].reverse()) b.addFloat32(v);
  return b.endVector();
}

function longVector(b: Builder, values: readonly number[]): Offset {
  b.startVector(8, values.length, 8);
  for (const v of [...values].reverse()) b.addInt64(BigInt(v));
  return b.endVector();
}

function offsetVector(b: Builder, values: readonly Offset[]): Offset {
  b.startVector(4, values.length, 4);
  for (const v of [...values].reverse()) b.addOffset(v);
  return b.endVector();
}

function table(b: Builder, fields: number, write: () => void): Offset {
  b.startObject(fields);
  write();
  return b.endObject();
}

function quantisation(b: Builder, t: TestTensor): Offset {
  if (!t.scale) return 0;
  const scale = floatVector(b, t.scale);
  const zero = longVector(b, t.zeroPoint ?? t.scale.map(() => 0));
  return table(b, 7, () => {
    b.addFieldOffset(2, scale, 0);
    b.addFieldOffset(3, zero, 0);
    b.addFieldInt32(6, t.dimension ?? 0, 0);
  });
}

/** The bytes of a model. Buffer 0 is the empty one; constants follow in the order of the tensors. */
export function tfliteFile(model: TestModel): Uint8Array {
  const b = new Builder(1024);
  const constants = model.tensors.filter((t) => t.data);
  const buffers = [undefined, ...constants].map((t) => {
    const data = t ? b.createByteVector(t.data!) : 0;
    return table(b, 3, () => b.addFieldOffset(0, data, 0));
  });
  const tensors = model.tensors.map((t) => {
    const [name, shape, quant] = [b.createString(t.name), intVector(b, t.shape), quantisation(b, t)];
    const signature = t.signature ? intVector(b, t.signature) : 0;
    const sparsity = t.sparse ? table(b, 3, () => {}) : 0;
    return table(b, 8, () => {
      b.addFieldOffset(0, shape, 0);
      b.addFieldInt8(1, TENSOR_TYPES.indexOf(t.type ?? 'f32'), 0);
      b.addFieldInt32(2, t.data ? constants.indexOf(t) + 1 : 0, 0);
      b.addFieldOffset(3, name, 0);
      b.addFieldOffset(4, quant, 0);
      b.addFieldInt8(5, t.variable ? 1 : 0, 0);
      b.addFieldOffset(6, sparsity, 0);
      b.addFieldOffset(7, signature, 0);
    });
  });
  const codes = model.nodes.map((n) => {
    const custom = n.custom ? b.createString(n.custom) : 0;
    return table(b, 4, () => {
      b.addFieldInt8(0, Math.min(n.code, 127), 0);
      b.addFieldOffset(1, custom, 0);
      b.addFieldInt32(3, n.code, 0);
    });
  });
  const nodes = model.nodes.map((n, i) => {
    const [inputs, outputs] = [intVector(b, n.inputs), intVector(b, n.outputs)];
    const options = n.options ? table(b, 8, () => n.options!(b)) : 0;
    return table(b, 5, () => {
      b.addFieldInt32(0, i, 0);
      b.addFieldOffset(1, inputs, 0);
      b.addFieldOffset(2, outputs, 0);
      b.addFieldInt8(3, n.options ? 1 : 0, 0);
      b.addFieldOffset(4, options, 0);
    });
  });
  const lists = [
    offsetVector(b, tensors),
    intVector(b, model.inputs),
    intVector(b, model.outputs),
    offsetVector(b, nodes),
  ];
  const graph = table(b, 5, () => {
    for (const [field, list] of lists.entries()) b.addFieldOffset(field, list, 0);
  });
  const parts = [offsetVector(b, codes), offsetVector(b, [graph]), offsetVector(b, buffers)];
  const root = table(b, 5, () => {
    b.addFieldInt32(0, model.version ?? 3, 0);
    b.addFieldOffset(1, parts[0], 0);
    b.addFieldOffset(2, parts[1], 0);
    b.addFieldOffset(4, parts[2], 0);
  });
  b.finish(root, 'TFL3');
  return b.asUint8Array().slice();
}

/** Codes of the operators that tests use. */
export const CODE = {
  ADD: 0,
  CONV_2D: 3,
  FLOOR: 8,
  RELU: 19,
  RESHAPE: 22,
  CUSTOM: 32,
  BATCH_TO_SPACE_ND: 37,
  SPACE_TO_BATCH_ND: 38,
  STRIDED_SLICE: 45,
  LSTM: 16,
  SHAPE: 77,
  REDUCE_MAX: 82,
  PACK: 83,
  FILL: 94,
  IF: 118,
  VAR_HANDLE: 142,
  GELU: 150,
};

/** A convolution of 3 by 3 with a fused Relu6, then a Relu: a right model to damage. */
export function smallModel(): TestModel {
  const weights = Float32Array.from({ length: 2 * 3 * 3 * 2 }, (_, i) => ((i * 7) % 11) / 8 - 0.5);
  return {
    tensors: [
      { name: 'x', shape: [1, 5, 6, 2] },
      { name: 'w', shape: [2, 3, 3, 2], data: new Uint8Array(weights.buffer) },
      { name: 'b', shape: [2], data: floats(0.25, -1) },
      { name: 'c', shape: [1, 3, 3, 2] },
      { name: 'y', shape: [1, 3, 3, 2] },
    ],
    nodes: [
      {
        code: CODE.CONV_2D,
        inputs: [0, 1, 2],
        outputs: [3],
        options: (b) => {
          b.addFieldInt8(0, 0, 1);
          b.addFieldInt32(1, 2, 0);
          b.addFieldInt32(2, 2, 0);
          b.addFieldInt8(3, 3, 0);
        },
      },
      { code: CODE.RELU, inputs: [3], outputs: [4] },
    ],
    inputs: [0],
    outputs: [4],
  };
}
