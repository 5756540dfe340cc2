/** SqueezeNet 1.0 and 1.1 (Iandola et al. 2016): fire modules of a squeeze and two expanding convolutions. */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

/** Squeeze channels of a fire module (it expands to eight times as many), or a pool. */
type Stage = number | 'pool';

function squeezenet(
  name: string,
  first: readonly [number, number],
  stages: readonly Stage[],
  options: NetOptions,
): Graph {
  const net = new Net(name, 'relu', options);
  const pool = (x: Tensor) => net.maxPool(x, 3, { stride: 2, ceil: true });
  let x = net.input(...(options.size ?? ([224, 224] as const)), 3);
  x = pool(net.conv(x, first[0], first[1], { stride: 2, pad: 0 }));
  for (const stage of stages) {
    if (stage === 'pool') x = pool(x);
    else {
      const squeezed = net.conv(x, stage, 1);
      x = net.concat([net.conv(squeezed, 4 * stage, 1), net.conv(squeezed, 4 * stage, 3)]);
    }
  }
  x = net.conv(x, 1000, 1, { exact: true });
  return net.finish(net.globalAverage(x));
}

export const squeezenet10 = (name: string, options: NetOptions): Graph =>
  squeezenet(name, [96, 7], [16, 16, 32, 'pool', 32, 48, 48, 64, 'pool', 64], options);

export const squeezenet11 = (name: string, options: NetOptions): Graph =>
  squeezenet(name, [64, 3], [16, 16, 'pool', 32, 32, 'pool', 48, 48, 64, 64], options);
