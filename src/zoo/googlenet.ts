/** GoogLeNet (Szegedy et al. 2015) without its auxiliary heads and response normalisation. */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

/** Channels: 1x1; 3x3 reduced and 3x3; 5x5 reduced and 5x5; after the pool (table 1 of the paper). */
type Module = readonly [number, number, number, number, number, number];

const STAGES: readonly (readonly Module[])[] = [
  [
    [64, 96, 128, 16, 32, 32],
    [128, 128, 192, 32, 96, 64],
  ],
  [
    [192, 96, 208, 16, 48, 64],
    [160, 112, 224, 24, 64, 64],
    [128, 128, 256, 24, 64, 64],
    [112, 144, 288, 32, 64, 64],
    [256, 160, 320, 32, 128, 128],
  ],
  [
    [256, 160, 320, 32, 128, 128],
    [384, 192, 384, 48, 128, 128],
  ],
];

function inception(net: Net, x: Tensor, [one, three0, three, five0, five, pooled]: Module): Tensor {
  const a = net.conv(x, one, 1);
  const b = net.conv(net.conv(x, three0, 1), three, 3);
  const c = net.conv(net.conv(x, five0, 1), five, 5);
  const d = net.conv(net.maxPool(x, 3, { pad: 1 }), pooled, 1);
  return net.concat([a, b, c, d]);
}

export function googlenet(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  const pool = (x: Tensor) => net.maxPool(x, 3, { stride: 2, ceil: true });
  let x = net.input(...(options.size ?? ([224, 224] as const)), 3);
  x = pool(net.conv(x, 64, 7, { stride: 2 }));
  x = pool(net.conv(net.conv(x, 64, 1), 192, 3));
  STAGES.forEach((modules, i) => {
    if (i > 0) x = pool(x);
    for (const module of modules) x = inception(net, x, module);
  });
  return net.finish(net.dense(net.globalAverage(x), 1000, { exact: true }));
}
