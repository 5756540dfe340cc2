/** MobileNet v1 (Howard et al. 2017) and v2 (Sandler et al. 2018). */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

/** Output channels and stride of each separable pair of v1, before the width multiplier. */
const SEPARABLE: readonly (readonly [number, number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

/** The convolutions of v1, each one's output in turn. TensorFlow's padding. */
export function mobilenetV1Features(net: Net, input: Tensor, alpha: number): Tensor[] {
  const outputs = [net.conv(input, 32 * alpha, 3, { stride: 2, pad: 'same' })];
  for (const [channels, stride] of SEPARABLE) {
    const spread = net.depthwise(outputs[outputs.length - 1], 3, { stride, pad: 'same' });
    outputs.push(net.conv(spread, channels * alpha, 1));
  }
  return outputs;
}

export function mobilenetV1(
  name: string,
  alpha: number,
  size: number,
  classes: number,
  options: NetOptions,
): Graph {
  const net = new Net(name, 'relu6', options);
  const x = net.input(...(options.size ?? ([size, size] as const)), 3);
  const features = mobilenetV1Features(net, x, alpha);
  const pooled = net.globalAverage(features[features.length - 1]);
  return net.finish(net.dense(pooled, classes, { exact: true }));
}

/** Expansion, output channels, repeats, first stride (table 2 of the paper). */
const INVERTED: readonly (readonly [number, number, number, number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** Nearest multiple of eight, never below nine tenths of the value. */
function toEights(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

export function mobilenetV2(name: string, alpha: number, size: number, options: NetOptions): Graph {
  const net = new Net(name, 'relu6', options);
  let x = net.input(...(options.size ?? ([size, size] as const)), 3);
  x = net.conv(x, toEights(32 * alpha), 3, { stride: 2 });
  let before = toEights(32 * alpha);
  for (const [expansion, base, repeats, firstStride] of INVERTED) {
    const channels = toEights(base * alpha);
    for (let k = 0; k < repeats; k++) {
      const stride = k === 0 ? firstStride : 1;
      let y = expansion > 1 ? net.conv(x, before * expansion, 1) : x;
      y = net.depthwise(y, 3, { stride });
      const residual = k > 0;
      y = net.conv(y, channels, 1, { act: 'none', gain: residual ? 0.5 : 1 });
      x = residual ? net.add(y, x) : y;
      before = channels;
    }
  }
  x = net.conv(x, Math.max(1280, toEights(1280 * alpha)), 1);
  return net.finish(net.dense(net.globalAverage(x), 1000, { exact: true }));
}
