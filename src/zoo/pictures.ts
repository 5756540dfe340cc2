/** From picture to picture: DnCNN (Zhang et al. 2017), FSRCNN (Dong et al. 2016), ESPCN (Shi et al. 2016), U-Net. */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

const last = { act: 'none', exact: true } as const;

/** Seventeen convolutions that estimate the noise. */
export function dncnn17(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([256, 256] as const)), 1);
  for (let i = 0; i < 16; i++) x = net.conv(x, 64, 3);
  return net.finish(net.conv(x, 1, 3, last));
}

/** FSRCNN(56, 12, 4), twice the size. */
export function fsrcnn(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'prelu', options);
  let x = net.input(...(options.size ?? ([128, 128] as const)), 1);
  x = net.conv(x, 56, 5);
  x = net.conv(x, 12, 1);
  for (let i = 0; i < 4; i++) x = net.conv(x, 12, 3);
  x = net.conv(x, 56, 1);
  return net.finish(net.deconv(x, 1, 9, { ...last, stride: 2, outputPadding: 1 }));
}

/** Sub-pixel convolution, twice the size. */
export function espcn(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'tanh', options);
  let x = net.input(...(options.size ?? ([128, 128] as const)), 1);
  x = net.conv(x, 64, 5);
  x = net.conv(x, 32, 3);
  return net.finish(net.depthToSpace(net.conv(x, 4, 3, last), 2));
}

/** Ronneberger et al. 2015 with padded convolutions. */
export function unet(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  const twice = (x: Tensor, channels: number) => net.conv(net.conv(x, channels, 3), channels, 3);
  let x = twice(net.input(...(options.size ?? ([256, 256] as const)), 1), 64);
  const skips: Tensor[] = [];
  for (const channels of [128, 256, 512, 1024]) {
    skips.push(x);
    x = twice(net.maxPool(x, 2, { stride: 2 }), channels);
  }
  for (const channels of [512, 256, 128, 64]) {
    const up = net.deconv(x, channels, 2, { stride: 2, act: 'none', pad: 0 });
    x = twice(net.concat([skips.pop()!, up]), channels);
  }
  return net.finish(net.conv(x, 2, 1, last));
}
