/** AlexNet (Krizhevsky et al. 2012, without its response normalisation) and VGG (Simonyan & Zisserman 2015). */
import type { Graph } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

export function alexnet(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([227, 227] as const)), 3);
  x = net.conv(x, 96, 11, { stride: 4, pad: 0 });
  x = net.maxPool(x, 3, { stride: 2 });
  x = net.conv(x, 256, 5, { groups: 2 });
  x = net.maxPool(x, 3, { stride: 2 });
  x = net.conv(x, 384, 3);
  x = net.conv(x, 384, 3, { groups: 2 });
  x = net.conv(x, 256, 3, { groups: 2 });
  x = net.maxPool(x, 3, { stride: 2 });
  x = net.dense(x, 4096, { act: 'relu' });
  x = net.dense(x, 4096, { act: 'relu' });
  return net.finish(net.dense(x, 1000, { exact: true }));
}

/** `depths[i]` convolutions at resolution i. */
export function vgg(name: string, depths: readonly number[], options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([224, 224] as const)), 3);
  depths.forEach((depth, i) => {
    for (let k = 0; k < depth; k++) x = net.conv(x, Math.min(512, 64 << i), 3);
    x = net.maxPool(x, 2, { stride: 2 });
  });
  x = net.dense(x, 4096, { act: 'relu' });
  x = net.dense(x, 4096, { act: 'relu' });
  return net.finish(net.dense(x, 1000, { exact: true }));
}
