/** SSD (Liu et al. 2016) on MobileNet v1 at 300 x 300: features and heads, without decoding of boxes. */
import type { Graph } from '../graph/graph.ts';
import { mobilenetV1Features } from './mobilenet.ts';
import { Net, type NetOptions } from './net.ts';

const CLASSES = 91;

export function ssdMobilenetV1(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu6', options);
  const features = mobilenetV1Features(net, net.input(...(options.size ?? ([300, 300] as const)), 3), 1);
  const maps = [features[11], features[13]];
  for (const channels of [512, 256, 256, 128]) {
    const reduced = net.conv(maps[maps.length - 1], channels / 2, 1);
    maps.push(net.conv(reduced, channels, 3, { stride: 2, pad: 'same' }));
  }
  const heads = maps.flatMap((map, i) => {
    const anchors = i === 0 ? 3 : 6;
    return [4, CLASSES].map((values) => net.conv(map, anchors * values, 1, { act: 'none', exact: true }));
  });
  return net.finish(...heads);
}
