/**
 * DenseNet-121 (Huang et al. 2017), growth 32. The published network normalises and rectifies before each
 * convolution; here, as in the published memory tables, each convolution carries its rectifier behind it, so
 * that the joined features are read as they are.
 */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

const GROWTH = 32;
const DEPTHS = [6, 12, 24, 16];

export function densenet121(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([224, 224] as const)), 3);
  x = net.conv(x, 64, 7, { stride: 2 });
  x = net.maxPool(x, 3, { stride: 2, pad: 1 });
  let channels = 64;
  DEPTHS.forEach((depth, i) => {
    const parts: Tensor[] = [x];
    for (let k = 0; k < depth; k++) {
      parts.push(net.conv(net.conv(x, 4 * GROWTH, 1), GROWTH, 3));
      x = net.concat(parts);
    }
    channels += depth * GROWTH;
    if (i === DEPTHS.length - 1) return;
    channels /= 2;
    x = net.averagePool(net.conv(x, channels, 1), 2, { stride: 2 });
  });
  return net.finish(net.dense(net.globalAverage(x), 1000, { exact: true }));
}
