/** Small ONNX files for tests, written with the reader's own schema. */
import { encodeModel, type ModelInit, type TensorInit } from '../../src/model/onnx/schema.ts';

export interface TinyNode {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  /** Numbers become INT, lists INTS, strings STRING; `{ f }` a FLOAT, `{ t }` a TENSOR. */
  readonly attrs?: Record<string, number | readonly number[] | string | { f: number } | { t: TensorInit }>;
}

export interface TinyModel {
  /** Input name to shape; a string is a named open dimension. */
  readonly inputs: Record<string, readonly (number | string)[]>;
  readonly outputs: readonly string[];
  readonly nodes: readonly TinyNode[];
  readonly weights?: readonly TensorInit[];
  readonly opset?: number;
  /** Element type code of the inputs; float32 when left out. */
  readonly elemType?: number;
  /** Element type code of the outputs; float32 when left out. */
  readonly outputType?: number;
}

const encoder = new TextEncoder();

/** A tensor with its values in raw_data. */
export function floats(name: string, dims: readonly number[], values: ArrayLike<number>): TensorInit {
  return {
    name,
    dims: dims.map(BigInt),
    dataType: 1,
    rawData: new Uint8Array(Float32Array.from(values).buffer),
  };
}

export function bytesTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
  dataType: 2 | 3,
): TensorInit {
  return { name, dims: dims.map(BigInt), dataType, rawData: Uint8Array.from(values, (v) => v & 255) };
}

export function int64s(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorInit {
  return {
    name,
    dims: dims.map(BigInt),
    dataType: 7,
    rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  };
}

/** `count` numbers between -1 and 1 that depend on nothing but the seed. */
export function seeded(count: number, seed = 1): number[] {
  let x = seed;
  return Array.from({ length: count }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 2 ** 31 - 1;
  });
}

function attribute(name: string, value: NonNullable<TinyNode['attrs']>[string]) {
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) };
  if (typeof value === 'string') return { name, type: 3, s: encoder.encode(value) };
  if ('f' in value) return { name, type: 1, f: value.f };
  if ('t' in value) return { name, type: 4, t: value.t };
  return { name, type: 7, ints: value.map(BigInt) };
}

export function tinyModel(model: TinyModel): Uint8Array {
  const init: ModelInit = {
    irVersion: 8n,
    opsetImport: ['', ...new Set(model.nodes.flatMap((n) => n.domain || []))].map((domain) => ({
      domain,
      version: BigInt(domain === '' ? (model.opset ?? 13) : 1),
    })),
    graph: {
      name: 'tiny',
      node: model.nodes.map((n) => ({
        name: n.name ?? '',
        opType: n.op,
        domain: n.domain ?? '',
        input: [...n.in],
        output: [...n.out],
        attribute: Object.entries(n.attrs ?? {}).map(([name, value]) => attribute(name, value)),
      })),
      initializer: [...(model.weights ?? [])],
      input: Object.entries(model.inputs).map(([name, dims]) => ({
        name,
        type: {
          tensorType: {
            elemType: model.elemType ?? 1,
            shape: {
              dim: dims.map((d) => (typeof d === 'number' ? { dimValue: BigInt(d) } : { dimParam: d })),
            },
          },
        },
      })),
      output: model.outputs.map((name) => ({
        name,
        type: { tensorType: { elemType: model.outputType ?? 1 } },
      })),
    },
  };
  return encodeModel(init);
}

/** Conv 3x3 with padding, then Relu: enough of a network for most tests. */
export function tinyCnn(): TinyModel {
  return {
    inputs: { x: [1, 3, 8, 8] },
    outputs: ['y'],
    weights: [floats('w', [4, 3, 3, 3], seeded(108)), floats('b', [4], seeded(4, 2))],
    nodes: [
      { op: 'Conv', in: ['x', 'w', 'b'], out: ['c'], name: 'conv', attrs: { pads: [1, 1, 1, 1] } },
      { op: 'Relu', in: ['c'], out: ['y'], name: 'relu' },
    ],
  };
}
