import { describe, expect, test } from 'vitest';
import { perTensor, type Tensor } from '../../graph/graph.ts';
import { kinds, normalised } from './testing/equivalence.ts';
import { type Sketch, sketch, windowAttributes } from './testing/small-graphs.ts';

/** One step of a stored value in 255, relative to the range that a test's output takes. */
const ONE_STEP = { relative: 1.01 / 100 };

const W8 = { dtype: 'i8', quant: perTensor(0.01, 0) } as const;

function weights(s: Sketch, shape: number[], perChannel = false): Tensor {
  const scale = perChannel ? Array.from({ length: shape[0] }, (_, c) => 0.005 + 0.002 * c) : [0.01];
  const w = s.weights(shape, { dtype: 'i8', quant: { scale, zeroPoint: scale.map(() => 0), axis: 0 } });
  return s.dequantize(w);
}

function stored(s: Sketch, shape: number[], scale = 0.01, zero = 120): Tensor {
  return s.quantize(s.input(shape), scale, zero);
}

describe('operators between Dequantize and Quantize', () => {
  test('a chain of convolutions with per-channel weights, shared and stored biases', () => {
    const graph = sketch((s) => {
      const x = s.dequantize(stored(s, [1, 6, 6, 3]));
      const w = weights(s, [4, 3, 3, 3], true);
      const bias = s.dequantize(
        s.weights([4], {
          dtype: 'i32',
          quant: {
            scale: [0, 1, 2, 3].map((c) => 0.01 * (0.005 + 0.002 * c)),
            zeroPoint: [0, 0, 0, 0],
            axis: 0,
          },
        }),
      );
      const y = s.quantize(s.relu(s.op('Conv', [x, w, bias], windowAttributes(1))), 0.02, 0);
      const z = s.op(
        'Conv',
        [s.dequantize(y), weights(s, [2, 1, 1, 4]), s.weights([2])],
        windowAttributes(0),
      );
      const clipped = s.op('Clip', [z], { min: -1, max: 1 });
      return s.dequantize(s.quantize(clipped, 0.02, 100));
    });
    const result = normalised(graph, ONE_STEP);
    expect(kinds(result)).toEqual(['Quantize', 'Conv', 'Conv+Clip', 'Dequantize']);
  });

  test('residual sums, products, averages, dense layers and softmax', () => {
    const graph = sketch((s) => {
      const x = s.dequantize(stored(s, [1, 6, 6, 4]));
      const a = s.dequantize(
        s.quantize(s.op('Conv', [x, weights(s, [4, 1, 1, 4])], windowAttributes(0)), 0.05, 128),
      );
      const sum = s.dequantize(s.quantize(s.relu(s.op('Add', [a, x])), 0.04, 0));
      const product = s.dequantize(s.quantize(s.op('Mul', [sum, x]), 0.03, 128));
      const mean = s.op('ReduceMean', [product], { axes: [1, 2], keepDims: true });
      const flat = s.op('Reshape', [s.dequantize(s.quantize(mean, 0.01, 128))], { shape: [1, 4] });
      const dense = s.op('Add', [
        s.op('MatMul', [flat, s.dequantize(s.weights([4, 5], W8))], {}),
        s.weights([5]),
      ]);
      const logits = s.dequantize(s.quantize(dense, 0.02, 128));
      return s.dequantize(s.quantize(s.op('Softmax', [logits], { axis: 1, beta: 1 }), 1 / 256, 0));
    });
    const result = normalised(graph, { relative: 0.05 });
    expect(kinds(result)).toEqual([
      'Quantize',
      'Conv',
      'Add',
      'Mul',
      'ReduceMean',
      'FullyConnected',
      'Softmax',
      'Dequantize',
    ]);
  });

  test.each(['Sigmoid', 'HardSwish', 'Tanh', 'LeakyRelu'])(
    '%s as a function of stored values, bit for bit',
    (kind) => {
      const graph = sketch((s) => {
        const x = s.dequantize(stored(s, [2, 3, 40]));
        return s.quantize(s.op(kind, [x], { alpha: 0.1 }), 0.008, 128);
      });
      expect(kinds(normalised(graph))).toEqual(['Quantize+' + kind]);
    },
  );

  const pool = { kernel: [3, 3], stride: [2, 2], dilation: [1, 1], pads: [1, 1, 0, 0], ceil: false };
  const resize = {
    size: [8, 12],
    scales: [2, 2],
    coordinates: 'half_pixel',
    nearest: 'round_prefer_floor',
    cubicA: -0.75,
    excludeOutside: false,
    antialias: false,
  };
  const one: [string, (s: Sketch, x: Tensor) => Tensor][] = [
    [
      'ConvTranspose',
      (s, x) =>
        s.op('ConvTranspose', [x, weights(s, [4, 2, 2, 3], true), s.weights([4])], {
          ...windowAttributes(0),
          stride: [2, 2],
          outputPadding: [0, 0],
        }),
    ],
    ['AveragePool', (s, x) => s.op('AveragePool', [x], { ...pool, countPad: true })],
    ['AveragePool', (s, x) => s.op('AveragePool', [x], { ...pool, countPad: false })],
    ['Resize', (s, x) => s.op('Resize', [x], { ...resize, mode: 'linear' })],
    ['Resize', (s, x) => s.op('Resize', [x], { ...resize, mode: 'cubic' })],
    ['ReduceMean', (s, x) => s.op('ReduceMean', [x], { axes: [1], keepDims: false })],
    ['Softmax', (s, x) => s.op('Softmax', [x], { axis: 1, beta: 1 })],
    ['Div', (s, x) => s.op('Div', [x, s.dequantize(stored(s, [3], 0.02, 0))])],
    ['Sub', (s, x) => s.op('Sub', [s.dequantize(s.weights([3], W8)), x])],
    ['Max', (s, x) => s.op('Max', [x, s.dequantize(stored(s, [1, 4, 6, 3], 0.02, 90))])],
    [
      'MatMul',
      (s, x) =>
        s.op('MatMul', [x, s.dequantize(stored(s, [1, 4, 3, 5], 0.02, 90))], {
          transposeA: false,
          transposeB: false,
        }),
    ],
    ['ChannelAffine', (s, x) => s.op('Mul', [x, s.weights([3])])],
  ];

  test.each(one)('%s works on stored values, to one step', (kind, make) => {
    const graph = sketch((s) => s.quantize(make(s, s.dequantize(stored(s, [1, 4, 6, 3]))), 0.013, 110));
    const result = normalised(graph, { relative: 1.01 / 110 });
    const found = kinds(result).filter((k) => !/^Quantize$/.test(k));
    expect(found).toEqual([kind === 'ChannelAffine' ? 'Quantize+ChannelAffine' : kind]);
    expect(kinds(result)).not.toContain('Dequantize');
  });

  test('a float consumer keeps the float operator', () => {
    const graph = sketch((s) => {
      const x = s.dequantize(stored(s, [1, 4, 4, 2]));
      const y = s.op('Conv', [x, weights(s, [3, 1, 1, 2])], windowAttributes(0));
      return [s.quantize(y, 0.02, 128), y];
    });
    expect(kinds(normalised(graph))).toContain('Conv');
  });
});

describe('movement between Dequantize and Quantize', () => {
  test('stays on stored values, bit for bit', () => {
    const graph = sketch((s) => {
      const x = s.dequantize(stored(s, [1, 4, 4, 8]));
      const pooled = s.op('MaxPool', [x], {
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        pads: [0, 0, 0, 0],
        ceil: false,
      });
      const shuffled = s.op('ChannelShuffle', [pooled], { groups: 2 });
      const half = (start: number) =>
        s.op('Slice', [shuffled], { starts: [0, 0, 0, start], steps: [1, 1, 1, 1], sizes: [1, 2, 2, 4] });
      const y = s.op('Concat', [half(4), half(0)], { axis: 3 });
      return s.quantize(s.op('Reshape', [y], { shape: [1, 32] }), 0.01, 120);
    });
    const result = normalised(graph);
    expect(kinds(result).filter((k) => k.includes('quantize'))).toEqual([]);
    expect(kinds(result)[0]).toBe('Quantize');
    expect(kinds(result)).not.toContain('Dequantize');
  });

  test('a Concat of different scales requantises its parts', () => {
    const graph = sketch((s) => {
      const a = s.dequantize(stored(s, [1, 2, 2, 3]));
      const b = s.dequantize(stored(s, [1, 2, 2, 2], 0.02, 100));
      return s.quantize(s.op('Concat', [a, b], { axis: 3 }), 0.015, 110);
    });
    const result = normalised(graph);
    expect(kinds(result).sort()).toEqual(['Concat', 'Quantize+Requantize', 'Quantize+Requantize']);
  });

  test('Dequantize alone moves down past a Reshape and a Pad of zero', () => {
    const graph = sketch((s) => {
      const x = s.dequantize(stored(s, [1, 4, 4, 8]));
      const padded = s.op('Pad', [x], {
        before: [0, 1, 0, 0],
        after: [0, 0, 1, 0],
        mode: 'constant',
        value: 0,
      });
      return s.op('Reshape', [padded], { shape: [5, 5, 8] });
    });
    expect(kinds(normalised(graph))).toEqual(['Quantize', 'Pad', 'Reshape', 'Dequantize']);
  });
});

describe('TFLite files', () => {
  test('float movement between int8 operators stays on stored values, bit for bit', () => {
    const graph = sketch((s) => {
      const x = s.dequantize(stored(s, [1, 4, 4, 8]));
      const pad = { before: [0, 1, 1, 0], after: [0, 1, 1, 0], mode: 'reflect', value: 0 };
      const same = s.quantize(s.op('Pad', [x], pad), 0.01, 120);
      const other = s.quantize(
        s.op('Slice', [x], { starts: [0, 0, 0, 2], steps: [1, 1, 1, 1], sizes: [1, 4, 4, 4] }),
        0.013,
        99,
      );
      return [same, other];
    }, 'tflite');
    expect(kinds(normalised(graph)).sort()).toEqual(['ChannelAffine', 'Pad', 'Quantize', 'Slice']);
  });

  test('a function without a fixed-point form works on stored values, one with it does not', () => {
    const graph = sketch((s) => {
      const x = s.dequantize(stored(s, [1, 4, 4, 64], 0.01, 0));
      return ['Sqrt', 'Tanh'].map((kind) => s.quantize(s.op(kind, [x]), 1 / 128, 128));
    }, 'tflite');
    expect(kinds(normalised(graph)).sort()).toEqual(['Dequantize+Tanh', 'Quantize', 'Quantize', 'Sqrt']);
  });
});
