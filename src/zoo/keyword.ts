/** Keyword spotting: DS-CNN (Zhang et al. 2017) as MLPerf Tiny has it, on 49 frames of 10 coefficients. */
import type { Graph } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

export function dsCnn(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([49, 10] as const)), 1);
  x = net.conv(x, 64, [10, 4], { stride: 2, pad: 'same' });
  for (let i = 0; i < 4; i++) x = net.conv(net.depthwise(x, 3), 64, 1);
  return net.finish(net.dense(net.globalAverage(x), 12, { exact: true }));
}
