import { describe, expect, test } from 'vitest';
import { kinds, normalised } from './testing/equivalence.ts';
import { sketch, windowAttributes } from './testing/small-graphs.ts';

const ROUNDING = { relative: 2e-6 };

describe('fold-affine', () => {
  test('a chain of scales and shifts behind a convolution becomes its weights and bias', () => {
    const graph = sketch((s) => {
      const y = s.conv(s.input([1, 5, 6, 3]), 4);
      const scaled = s.op('Mul', [s.weights([1, 1, 1, 4]), y]);
      const shifted = s.op('Sub', [s.weights([4]), scaled]);
      return s.op('ChannelAffine', [s.op('Div', [shifted, s.scalar(3)])], {
        scale: [1, 2, 3, 4],
        shift: [0.5],
      });
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['Conv']);
  });

  test('a dense layer and a transposed convolution take them too', () => {
    const graph = sketch((s) => {
      const up = s.op('ConvTranspose', [s.input([1, 3, 3, 2]), s.weights([5, 2, 2, 2])], {
        ...windowAttributes(0),
        outputPadding: [0, 0],
      });
      const scaled = s.op('Add', [s.op('Mul', [up, s.weights([5])]), s.weights([1, 1, 5])]);
      const dense = s.op('FullyConnected', [scaled, s.weights([3, 5])], { flatten: false });
      return s.op('Add', [dense, s.weights([3])]);
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['ConvTranspose', 'FullyConnected']);
  });

  test('before a padded convolution a scale folds and a shift does not', () => {
    const affine = (shift: number[]) =>
      sketch((s) => {
        const x = s.op('ChannelAffine', [s.input([1, 4, 4, 4])], { scale: [1, 2, 3, -1], shift });
        return s.op('Conv', [x, s.weights([4, 3, 3, 2])], windowAttributes(1, 2));
      });
    expect(kinds(normalised(affine([0]), ROUNDING))).toEqual(['Conv']);
    expect(kinds(normalised(affine([1]), ROUNDING))).toEqual(['ChannelAffine', 'Conv']);
  });

  test('before a convolution without padding both fold', () => {
    const graph = sketch((s) => {
      const x = s.op('Add', [s.op('Mul', [s.input([1, 4, 4, 4]), s.weights([4])]), s.weights([4])]);
      return s.op('Conv', [x, s.weights([4, 3, 3, 2])], windowAttributes(0, 2));
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['Conv']);
  });

  test('a shared or shown convolution keeps its values', () => {
    const graph = sketch((s) => {
      const y = s.conv(s.input([1, 4, 4, 3]), 3);
      return [y, s.op('Mul', [y, s.weights([3])])];
    });
    expect(kinds(normalised(graph))).toEqual(['Conv', 'ChannelAffine']);
  });
});

describe('fuse-activations', () => {
  test('Silu', () => {
    const graph = sketch((s) => {
      const x = s.conv(s.input([1, 4, 4, 3]), 3);
      return s.op('Mul', [s.op('Sigmoid', [x]), x]);
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['Conv+Silu']);
  });

  test.each([0, 1, 2])('HardSwish, form %i', (form) => {
    const graph = sketch((s) => {
      const x = s.conv(s.input([1, 4, 4, 3]), 3);
      const gate = s.op('Clip', [s.op('Add', [s.scalar(3), x])], { min: 0, max: 6 });
      if (form === 0) return s.op('Div', [s.op('Mul', [x, gate]), s.scalar(6)]);
      if (form === 1) return s.op('Mul', [s.op('Mul', [gate, s.scalar(1 / 6)]), x]);
      return s.op('Mul', [x, s.op('HardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 })]);
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['Conv+HardSwish']);
  });

  test('Gelu', () => {
    const graph = sketch((s) => {
      const x = s.conv(s.input([1, 4, 4, 3]), 3);
      const erf = s.op('Add', [s.op('Erf', [s.op('Div', [x, s.scalar(Math.SQRT2)])]), s.scalar(1)]);
      return s.op('Mul', [s.op('Mul', [x, erf]), s.scalar(0.5)]);
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['Conv+Gelu']);
  });

  test('Clips merge, also those written as Max and Min', () => {
    const graph = sketch((s) =>
      s.op('Min', [s.op('Max', [s.relu(s.input([2, 3])), s.scalar(-1)]), s.scalar(6)]),
    );
    const result = normalised(graph);
    expect(kinds(result)).toEqual(['Clip']);
    expect(result.operators[0].attrs).toEqual({ min: 0, max: 6 });
  });
});

describe('fuse-epilogues', () => {
  test('activations join their producer, behind a Reshape too; views and shown tensors stay', () => {
    const graph = sketch((s) => {
      const y = s.conv(s.input([1, 4, 4, 2]), 3);
      const a = s.relu(s.op('Reshape', [y], { shape: [16, 3] }));
      const c = s.op('Concat', [a, s.weights([1, 3])], { axis: 0 });
      const t = s.op('Tanh', [c]);
      return [s.op('Sigmoid', [t]), t];
    });
    expect(kinds(normalised(graph))).toEqual(['Conv+Clip', 'Reshape', 'Concat', 'Tanh', 'Sigmoid']);
  });

  test('an activation behind a Concat moves into the branches', () => {
    const graph = sketch((s) => {
      const x = s.input([1, 4, 4, 2]);
      return s.relu(s.op('Concat', [s.conv(x, 3), s.conv(x, 2)], { axis: 3 }));
    });
    expect(kinds(normalised(graph))).toEqual(['Conv+Clip', 'Conv+Clip', 'Concat']);
  });

  test('PRelu with one slope a channel', () => {
    const graph = sketch((s) => s.op('PRelu', [s.conv(s.input([1, 4, 4, 2]), 3), s.weights([1, 1, 3])]));
    expect(kinds(normalised(graph))).toEqual(['Conv+ChannelPRelu']);
  });
});

describe('fold-pads', () => {
  const pad = (before: number[], after: number[], value = 0) => ({ before, after, mode: 'constant', value });

  test('into every convolution that reads it', () => {
    const graph = sketch((s) => {
      const x = s.op('Pad', [s.input([1, 5, 5, 2])], pad([0, 0, 1, 0], [0, 1, 2, 0]));
      return [s.conv(x, 3, 3, 1), s.conv(x, 2, 3, 0)];
    });
    expect(kinds(normalised(graph))).toEqual(['Conv', 'Conv']);
  });

  test('not into one of two readers, not of channels, not of another value', () => {
    const graph = sketch((s) => {
      const x = s.input([1, 5, 5, 2]);
      const shared = s.op('Pad', [x], pad([0, 1, 1, 0], [0, 1, 1, 0]));
      const deep = s.op('Pad', [x], pad([0, 0, 0, 1], [0, 0, 0, 0]));
      const ones = s.op('Pad', [x], pad([0, 1, 1, 0], [0, 1, 1, 0], 1));
      return [s.conv(shared, 3), s.op('Tanh', [shared]), s.conv(deep, 2), s.conv(ones, 2)];
    });
    expect(kinds(normalised(graph)).filter((k) => k === 'Pad')).toHaveLength(3);
  });

  test('into pools where no value changes', () => {
    const window = { kernel: [3, 3], stride: [2, 2], dilation: [1, 1], pads: [0, 0, 0, 0], ceil: false };
    const graph = sketch((s) => {
      const x = s.conv(s.input([1, 6, 6, 2]), 2);
      const sides = pad([0, 1, 1, 0], [0, 1, 1, 0]);
      return [
        s.op('MaxPool', [s.op('Pad', [s.relu(x)], sides)], window),
        s.op('MaxPool', [s.op('Pad', [x], pad([0, 1, 1, 0], [0, 1, 1, 0], -Infinity))], window),
        s.op('MaxPool', [s.op('Pad', [x], sides)], window),
        s.op('AveragePool', [s.op('Pad', [x], sides)], { ...window, countPad: false }),
      ];
    });
    expect(kinds(normalised(graph, ROUNDING)).filter((k) => k === 'Pad')).toHaveLength(1);
  });
});

describe('movement', () => {
  const NHWC = [0, 2, 3, 1];
  const NCHW = [0, 3, 1, 2];

  test('inverse pairs cancel and ports take the rest', () => {
    const graph = sketch((s) => {
      const x = s.op('Transpose', [s.input([1, 3, 4, 5])], { perm: NHWC });
      const y = s.op('Transpose', [s.conv(x, 4)], { perm: NCHW });
      const z = s.op('Transpose', [s.relu(y)], { perm: NHWC });
      return s.op('Transpose', [s.conv(z, 2)], { perm: NCHW });
    });
    const result = normalised(graph);
    expect(kinds(result)).toEqual(['Conv+Clip', 'Conv']);
    expect(result.inputs[0].perm).toEqual(NHWC);
    expect(result.outputs[0].perm).toEqual(NHWC);
  });

  test('a residual block in the file order works channels last', () => {
    const graph = sketch((s) => {
      const layer = (x: ReturnType<typeof s.relu>) => {
        const y = s.conv(s.op('Transpose', [x], { perm: NHWC }), 3);
        return s.op('Transpose', [y], { perm: NCHW });
      };
      const x = s.relu(layer(s.input([1, 3, 4, 5])));
      const sum = s.op('Add', [x, layer(s.op('Mul', [x, s.weights([3, 1, 1])]))]);
      const cat = s.op('Concat', [sum, layer(sum)], { axis: 1 });
      return s.op('ReduceMean', [cat], { axes: [2, 3], keepDims: false });
    });
    const result = normalised(graph, ROUNDING);
    expect(kinds(result).filter((k) => k.startsWith('Transpose'))).toEqual([]);
  });

  test('channel shuffle and pixel shuffle are found', () => {
    const graph = sketch((s) => {
      const x = s.conv(s.input([1, 2, 3, 2]), 8);
      const parts = s.op('Reshape', [x], { shape: [1, 2, 3, 2, 4] });
      const shuffled = s.op('Reshape', [s.op('Transpose', [parts], { perm: [0, 1, 2, 4, 3] })], {
        shape: [1, 2, 3, 8],
      });
      const blocks = s.op('Reshape', [shuffled], { shape: [1, 2, 3, 2, 2, 2] });
      const up = s.op('Transpose', [blocks], { perm: [0, 1, 4, 2, 5, 3] });
      return [s.relu(shuffled), s.op('Reshape', [up], { shape: [1, 4, 6, 2] })];
    });
    const result = normalised(graph);
    expect(kinds(result)).toContain('DepthToSpace');
    expect(kinds(result).some((k) => k.startsWith('ChannelShuffle'))).toBe(true);
    expect(kinds(result).filter((k) => k.startsWith('Transpose'))).toEqual([]);
  });

  test.each([1, 2])('a flattened transpose moves into the dense weights, batch %i', (batch) => {
    const graph = sketch((s) => {
      const x = s.conv(s.input([batch, 3, 4, 2]), 5);
      const flat = s.op('Reshape', [s.op('Transpose', [x], { perm: NCHW })], { shape: [batch, 60] });
      return s.op('FullyConnected', [flat, s.weights([7, 60])], { flatten: false });
    });
    const result = normalised(graph, ROUNDING);
    expect(kinds(result)).toEqual(['Conv', 'FullyConnected']);
    expect(result.operators[1].attrs.flatten).toBe(true);
  });

  test('a matrix product with constant weights is a dense layer with its bias', () => {
    const graph = sketch((s) => {
      const x = s.op('Reshape', [s.input([1, 2, 2, 3])], { shape: [1, 12] });
      return s.op('Add', [
        s.op('MatMul', [x, s.weights([12, 4])], { transposeA: false, transposeB: false }),
        s.weights([4]),
      ]);
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['FullyConnected']);
  });

  test('copies vanish, duplicates are computed once, two outputs keep two tensors', () => {
    const graph = sketch((s) => {
      const x = s.input([1, 4, 4, 2]);
      const y = s.op('Copy', [x]);
      const a = s.op('Tanh', [y]);
      const b = s.op('Tanh', [
        s.op('Slice', [y], { starts: [0, 0, 0, 0], steps: [1, 1, 1, 1], sizes: [1, 4, 4, 2] }),
      ]);
      return [s.op('Add', [a, b]), s.op('Exp', [a]), s.op('Exp', [b]), y];
    });
    expect(kinds(normalised(graph))).toEqual(['Copy', 'Tanh', 'Add', 'Exp', 'Exp']);
  });

  test('a shuffle written as Reshape, Transpose and two picks becomes two strided slices', () => {
    const graph = sketch((s) => {
      const x = s.conv(s.input([1, 3, 4, 2]), 8);
      const turned = s.op('Transpose', [s.op('Reshape', [x], { shape: [12, 4, 2] })], { perm: [2, 1, 0] });
      const parts = s.op('Reshape', [turned], { shape: [2, 1, 4, 3, 4] });
      const pick = (i: number) => {
        const half = s.op('Slice', [parts], {
          starts: [i, 0, 0, 0, 0],
          steps: [1, 1, 1, 1, 1],
          sizes: [1, 1, 4, 3, 4],
        });
        const flat = s.op('Transpose', [s.op('Reshape', [half], { shape: [4, 12] })], { perm: [1, 0] });
        return s.conv(s.op('Reshape', [flat], { shape: [1, 3, 4, 4] }), 2);
      };
      return [pick(0), pick(1)];
    });
    const found = kinds(normalised(graph));
    expect(found.filter((k) => k === 'Transpose')).toEqual([]);
    expect(found.filter((k) => k === 'Slice')).toHaveLength(2);
  });

  test('a Slice of a Concat that is one of its parts', () => {
    const graph = sketch((s) => {
      const parts = [s.conv(s.input([1, 3, 4, 2]), 2), s.conv(s.input([1, 3, 4, 2]), 3)];
      const all = s.op('Concat', parts, { axis: 3 });
      const half = (start: number, n: number) =>
        s.op('Slice', [all], { starts: [0, 0, 0, start], steps: [1, 1, 1, 1], sizes: [1, 3, 4, n] });
      return [s.relu(half(0, 2)), s.relu(half(2, 3)), s.relu(half(1, 3))];
    });
    expect(kinds(normalised(graph)).filter((k) => k === 'Slice')).toHaveLength(1);
  });

  test('a reduction that drops an axis turns the rest', () => {
    const graph = sketch((s) => {
      const x = s.op('Tanh', [s.input([2, 3, 4, 5])]);
      const turned = s.op('Transpose', [x], { perm: [1, 2, 3, 0] });
      const sum = s.op('ReduceMean', [turned], { axes: [0], keepDims: false });
      const y = s.op('Transpose', [sum], { perm: [2, 0, 1] });
      return [x, s.op('FullyConnected', [y, s.weights([2, 5])], { flatten: false })];
    });
    expect(kinds(normalised(graph, ROUNDING))).toEqual(['Tanh', 'ReduceMean', 'FullyConnected']);
  });

  test('reshapes at the ports vanish', () => {
    const graph = sketch((s) => {
      const y = s.conv(s.op('Reshape', [s.input([24])], { shape: [1, 3, 4, 2] }), 2);
      return s.op('Reshape', [y], { shape: [3, 8] });
    });
    expect(kinds(normalised(graph))).toEqual(['Conv']);
  });
});
