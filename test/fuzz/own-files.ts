/** Small models of our own making, to be damaged: ONNX by our writer, TFLite by the tests' writer. */
import type { Builder } from 'flatbuffers';
import { writeOnnx } from '../../src/emit/onnx/write.ts';
import { TidemarkError } from '../../src/errors.ts';
import {
  smallModel,
  type TestModel,
  type TestNode,
  type TestTensor,
  tfliteFile,
} from '../../src/model/tflite/testing/model-file.ts';
import { pick, type Random, seeded } from '../../src/ops/testing/operator-case.ts';
import { bytesTensor, floats, int64s, type TinyModel, tinyCnn, tinyModel } from '../onnx/tiny-model.ts';
import { randomGraph } from '../random/random-graph.ts';
import { any, chance } from './values.ts';

/** A graph of a seed as ONNX; the next seed where it has an operator that has no ONNX form. */
export function ownOnnx(seed: number): Uint8Array {
  if (seed % 8 === 0) return tinyModel(seed % 16 === 0 ? tinyCnn() : shapeArithmetic());
  for (let s = seed; ; s++) {
    try {
      return writeOnnx(randomGraph(s, { least: 1, greatest: 6 }));
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
    }
  }
}

/** Shapes computed in the file, as exporters write them, and constants that are folded. */
function shapeArithmetic(): TinyModel {
  return {
    inputs: { x: [1, 4, 6, 5] },
    outputs: ['y', 'z'],
    weights: [
      int64s('two', [2]),
      int64s('zero', [0]),
      int64s('rest', [-1]),
      floats('s', [], [0.1]),
      bytesTensor('zp', [], [3], 3),
    ],
    nodes: [
      { op: 'Shape', in: ['x'], out: ['shape'] },
      { op: 'Slice', in: ['shape', 'zero', 'two'], out: ['front'] },
      { op: 'Concat', in: ['front', 'rest'], out: ['target'], attrs: { axis: 0 } },
      { op: 'Reshape', in: ['x', 'target'], out: ['y'] },
      { op: 'ConstantOfShape', in: ['front'], out: ['ones'], attrs: { value: { t: floats('v', [1], [1]) } } },
      { op: 'QuantizeLinear', in: ['x', 's', 'zp'], out: ['q'] },
      { op: 'DequantizeLinear', in: ['q', 's', 'zp'], out: ['d'] },
      { op: 'Gather', in: ['d', 'zero'], out: ['g'], attrs: { axis: 1 } },
      { op: 'ReduceMean', in: ['g'], out: ['z'], attrs: { axes: [2, 3], keepdims: 0 } },
    ],
  };
}

/** Operator codes of the schema and what an operator of the chain does to a shape [1, H, W, C]. */
interface Layer {
  readonly code: number;
  /** Constants beside the first input, and the options. */
  make(
    shape: readonly number[],
    random: Random,
  ): { constants: Constant[]; shape: number[]; options?: (b: Builder) => void } | undefined;
}

interface Constant {
  readonly shape: readonly number[];
  readonly type: 'f32' | 'i32';
  readonly values: readonly number[];
}

const reals = (shape: readonly number[], random: Random): Constant => ({
  shape,
  type: 'f32',
  values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
});
const integers = (values: readonly number[], shape: readonly number[] = [values.length]): Constant => ({
  shape,
  type: 'i32',
  values,
});

const LAYERS: readonly Layer[] = [
  {
    code: 3,
    make: ([n, h, w, c], random) => {
      const [out, k] = [pick(random, 1, 4), any(random, [1, 2, 3])];
      return {
        constants: [reals([out, k, k, c], random), reals([out], random)],
        shape: [n, h, w, out],
        options: (b) => {
          b.addFieldInt32(1, 1, 0);
          b.addFieldInt32(2, 1, 0);
          b.addFieldInt8(3, any(random, [0, 1, 3]), 0);
        },
      };
    },
  },
  {
    code: 4,
    make: ([n, h, w, c], random) => ({
      constants: [reals([1, 3, 3, c], random), reals([c], random)],
      shape: [n, h, w, c],
      options: (b) => {
        b.addFieldInt32(1, 1, 0);
        b.addFieldInt32(2, 1, 0);
        b.addFieldInt32(3, 1, 0);
      },
    }),
  },
  {
    code: 17,
    make: ([n, h, w, c]) =>
      h < 2 || w < 2
        ? undefined
        : {
            constants: [],
            shape: [n, h >> 1, w >> 1, c],
            options: (b) => {
              b.addFieldInt8(0, 1, 0);
              for (const f of [1, 2, 3, 4]) b.addFieldInt32(f, 2, 0);
            },
          },
  },
  { code: 14, make: (shape) => ({ constants: [], shape: [...shape] }) },
  {
    code: 25,
    make: (shape) => ({ constants: [], shape: [...shape], options: (b) => b.addFieldFloat32(0, 1, 0) }),
  },
  { code: 22, make: ([n, h, w, c]) => ({ constants: [integers([n, w, h, c])], shape: [n, w, h, c] }) },
  { code: 39, make: ([n, h, w, c]) => ({ constants: [integers([0, 2, 1, 3])], shape: [n, w, h, c] }) },
  {
    code: 34,
    make: ([n, h, w, c]) => ({
      constants: [integers([0, 0, 1, 0, 0, 1, 0, 0], [4, 2])],
      shape: [n, h + 1, w + 1, c],
    }),
  },
  {
    code: 45,
    make: ([n, h, w, c]) =>
      h < 2
        ? undefined
        : {
            constants: [integers([0, 1, 0, 0]), integers([n, h, w, c]), integers([1, 1, 1, 1])],
            shape: [n, h - 1, w, c],
            options: (b) => b.addFieldInt32(1, 4, 0),
          },
  },
  {
    code: 40,
    make: ([n, , , c]) => ({
      constants: [integers([1, 2])],
      shape: [n, 1, 1, c],
      options: (b) => b.addFieldInt8(0, 1, 0),
    }),
  },
  {
    code: 23,
    make: ([n, h, w, c]) => ({
      constants: [integers([2 * h, w])],
      shape: [n, 2 * h, w, c],
      options: (b) => b.addFieldInt8(3, 1, 0),
    }),
  },
  {
    code: 18,
    make: (shape, random) => ({ constants: [reals([1, 1, 1, shape[3]], random)], shape: [...shape] }),
  },
  { code: 69, make: ([n, h, w, c]) => ({ constants: [integers([1, 1, 2, 1])], shape: [n, h, 2 * w, c] }) },
  {
    code: 98,
    make: (shape) => ({ constants: [], shape: [...shape], options: (b) => b.addFieldFloat32(0, 0.25, 0) }),
  },
];

/** A chain of layers of a seed; every other one has quantised tensors where that means something. */
export function ownTflite(seed: number): Uint8Array {
  const random = seeded(seed ^ 0x71f2);
  if (chance(random, 0.1)) return tfliteFile(smallModel());
  let shape = [1, pick(random, 2, 7), pick(random, 2, 6), pick(random, 1, 4)];
  const tensors: TestTensor[] = [{ name: 'x', shape }];
  const nodes: TestNode[] = [];
  let last = 0;
  for (let length = pick(random, 1, 5); nodes.length < length; ) {
    const layer = any(random, LAYERS);
    const made = layer.make(shape, random);
    if (!made || made.shape.reduce((a, b) => a * b, 1) > 900) continue;
    const inputs = [last];
    for (const { shape: of, type, values } of made.constants) {
      const data = new Uint8Array((type === 'f32' ? Float32Array : Int32Array).from(values).buffer);
      inputs.push(tensors.push({ name: `c${tensors.length}`, shape: of, type, data }) - 1);
    }
    shape = made.shape;
    last = tensors.push({ name: `v${tensors.length}`, shape }) - 1;
    nodes.push({ code: layer.code, inputs, outputs: [last], options: made.options });
  }
  const model: TestModel = { tensors, nodes, inputs: [0], outputs: [last] };
  return tfliteFile(chance(random, 0.5) ? quantised(model) : model);
}

/** The same with 8-bit activations and weights and 32-bit biases, as a converter would store them. */
function quantised(model: TestModel): TestModel {
  const biases = new Set(model.nodes.flatMap((n) => (n.code === 3 || n.code === 4 ? [n.inputs[2]] : [])));
  const tensors = model.tensors.map((t, i): TestTensor => {
    if (t.type === 'i32') return t;
    const values = t.data && Array.from(new Float32Array(t.data.slice().buffer));
    if (biases.has(i))
      return {
        ...t,
        type: 'i32',
        scale: [0.02 * 0.004],
        zeroPoint: [0],
        data: new Uint8Array(Int32Array.from(values!, (v) => v / 0.00008).buffer),
      };
    if (values)
      return {
        ...t,
        type: 'i8',
        scale: [0.004],
        zeroPoint: [0],
        data: new Uint8Array(Int8Array.from(values, (v) => v / 0.004).buffer),
      };
    return { ...t, type: 'i8', scale: [0.02], zeroPoint: [-3] };
  });
  return { ...model, tensors };
}
