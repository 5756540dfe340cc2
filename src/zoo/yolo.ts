/** Tiny YOLO v2 and v3 (Redmon & Farhadi 2017, 2018): the convolutions, without decoding of boxes. */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

/** The seven convolutions and six pools that both share; also the fifth convolution, which v3 reads again. */
function backbone(net: Net, input: Tensor): { readonly x: Tensor; readonly middle: Tensor } {
  let x = input;
  let middle = input;
  for (let i = 0; i < 6; i++) {
    x = net.conv(x, 16 << i, 3);
    if (i === 4) middle = x;
    x = net.maxPool(x, 2, i < 5 ? { stride: 2 } : { pad: 'same' });
  }
  return { x: net.conv(x, 1024, 3), middle };
}

const head = { act: 'none', exact: true } as const;

export function tinyYoloV2(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'leaky', options);
  const { x } = backbone(net, net.input(...(options.size ?? ([416, 416] as const)), 3));
  return net.finish(net.conv(net.conv(x, 1024, 3), 125, 1, head));
}

export function tinyYoloV3(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'leaky', options);
  const { x, middle } = backbone(net, net.input(...(options.size ?? ([416, 416] as const)), 3));
  const neck = net.conv(x, 256, 1);
  const coarse = net.conv(net.conv(neck, 512, 3), 255, 1, head);
  const up = net.upsample(net.conv(neck, 128, 1), 2);
  const fine = net.conv(net.conv(net.concat([up, middle]), 256, 3), 255, 1, head);
  return net.finish(coarse, fine);
}
