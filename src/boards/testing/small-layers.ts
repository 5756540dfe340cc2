/**
 * A graph of many small int8 layers beside each other, each with an input and an output of its own: awkward channels, widths,
 * strides, dilations, pads, zero points and groups. One firmware image then tries them all.
 */
import { GraphBuilder } from '../../graph/builder.ts';
import type { Dialect, Graph } from '../../graph/graph.ts';
import { pick, type Random, seeded } from '../../ops/testing/operator-case.ts';

interface Layer {
  readonly height: number;
  readonly width: number;
  readonly cin: number;
  readonly cout: number;
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
  readonly unsigned: boolean;
}

const one = (random: Random, values: readonly number[]): number => values[pick(random, 0, values.length - 1)];

/** Channels around multiples of 4 and 16. */
const CHANNELS = [1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 20, 33];

function layerOf(random: Random, number: number): Layer {
  const form = number % 4;
  const cin = one(random, CHANNELS);
  const wide = [pick(random, 1, 4), pick(random, 1, 4)] as const;
  const window = form === 0 ? ([1, 1] as const) : wide;
  const stride = [pick(random, 1, 2), pick(random, 1, 2)] as const;
  const dilation = number % 5 === 0 ? ([pick(random, 1, 2), 2] as const) : ([1, 1] as const);
  const before = window.map((k) => pick(random, 0, k - 1));
  const after = window.map((k) => pick(random, 0, k - 1));
  const span = (i: 0 | 1) => (window[i] - 1) * dilation[i] + 1;
  const depthwise = form === 1;
  const grouped = number % 11 === 2 && cin % 2 === 0;
  const groups = depthwise ? cin : grouped ? 2 : 1;
  return {
    height: span(0) + pick(random, 0, 4),
    width: span(1) + pick(random, 0, 6),
    cin,
    cout: depthwise ? cin * (number % 8 === 1 ? 2 : 1) : groups * one(random, [1, 2, 3, 4, 5, 7, 9, 16]),
    window,
    stride: form === 0 && number % 3 > 0 ? [1, 1] : stride,
    dilation,
    pads: [before[0], before[1], after[0], after[1]],
    groups,
    unsigned: number % 13 === 6,
  };
}

/** `count` layers, every sixth a dense one. */
export function smallLayers(seed: number, count: number, dialect: Dialect): Graph {
  const random = seeded(seed);
  const b = new GraphBuilder(`small layers ${seed}`, dialect);
  for (let i = 0; i < count; i++) {
    const layer = layerOf(random, i);
    const dense = i % 6 === 5;
    const { cin, cout, groups, window } = layer;
    const shape = dense ? [2, cin * 3] : [1, layer.height, layer.width, cin];
    const depth = dense ? cin * 3 : (cin / groups) * window[0] * window[1];
    const zero = one(random, [-128, -37, 0, 5, 127]) + (layer.unsigned ? 128 : 0);
    const type = layer.unsigned ? ('u8' as const) : ('i8' as const);
    const x = b.input(
      { name: `in${i}`, shape, dtype: type },
      { dtype: type, quant: { scale: [0.05], zeroPoint: [zero], axis: 0 } },
    );
    const scales = Array.from({ length: cout }, () => Math.fround(0.002 + random() * 0.01));
    const perChannel = i % 3 > 0 && !(dense && dialect === 'tflite');
    const scale = perChannel ? scales : [scales[0]];
    const weights = Int8Array.from({ length: cout * depth }, () => pick(random, -127, 127));
    // A channel without weights, as pruning leaves them.
    if (i % 4 === 3) weights.fill(0, 0, depth);
    const quant = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
    const wShape = dense ? [cout, depth] : [cout, window[0], window[1], cin / groups];
    const w = b.constant(`w${i}`, wShape, weights, { dtype: 'i8', quant });
    const bias = Int32Array.from({ length: cout }, (_, c) =>
      i % 4 === 3 && c === 0 ? 2 ** 30 : pick(random, -20000, 20000),
    );
    const biasQuant = {
      scale: scale.map((s) => Math.fround(s * 0.05)),
      zeroPoint: scale.map(() => 0),
      axis: 0,
    };
    const bs = b.constant(`b${i}`, [cout], bias, { dtype: 'i32', quant: biasQuant });
    const out = {
      shape: [],
      dtype: type,
      quant: { scale: [Math.fround(0.02 * Math.sqrt(depth))], zeroPoint: [zero], axis: 0 },
    };
    const { stride, dilation, pads } = layer;
    const y = dense
      ? b.op('FullyConnected', [x, w, bs], {}, { name: `dense${i}`, given: [out] })
      : b.op('Conv', [x, w, bs], { stride, dilation, pads, groups }, { name: `conv${i}`, given: [out] });
    b.output(y, { name: `out${i}`, shape: y.shape, dtype: type });
  }
  return b.build();
}
