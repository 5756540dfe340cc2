/** Inception v3 (Szegedy et al. 2016) without its auxiliary head. */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions } from './net.ts';

const ROW = [1, 7] as const;
const COLUMN = [7, 1] as const;

const smooth = (net: Net, x: Tensor, channels: number) =>
  net.conv(net.averagePool(x, 3, { pad: 1 }), channels, 1);

function chain(
  net: Net,
  x: Tensor,
  layers: readonly (readonly [number, number | readonly [number, number]])[],
): Tensor {
  let y = x;
  for (const [channels, kernel] of layers) y = net.conv(y, channels, kernel);
  return y;
}

/** Figure 5 of the paper, the 5x5 kept in one branch. */
function blockA(net: Net, x: Tensor, pooled: number): Tensor {
  const a = net.conv(x, 64, 1);
  const b = chain(net, x, [
    [48, 1],
    [64, 5],
  ]);
  const c = chain(net, x, [
    [64, 1],
    [96, 3],
    [96, 3],
  ]);
  return net.concat([a, b, c, smooth(net, x, pooled)]);
}

/** From 35 x 35 to 17 x 17. */
function reductionA(net: Net, x: Tensor): Tensor {
  const a = net.conv(x, 384, 3, { stride: 2, pad: 0 });
  const b = net.conv(
    chain(net, x, [
      [64, 1],
      [96, 3],
    ]),
    96,
    3,
    { stride: 2, pad: 0 },
  );
  return net.concat([a, b, net.maxPool(x, 3, { stride: 2 })]);
}

/** Figure 6: 7x7 windows as rows and columns. */
function blockB(net: Net, x: Tensor, c: number): Tensor {
  const one = net.conv(x, 192, 1);
  const single = chain(net, x, [
    [c, 1],
    [c, ROW],
    [192, COLUMN],
  ]);
  const double = chain(net, x, [
    [c, 1],
    [c, COLUMN],
    [c, ROW],
    [c, COLUMN],
    [192, ROW],
  ]);
  return net.concat([one, single, double, smooth(net, x, 192)]);
}

/** From 17 x 17 to 8 x 8. */
function reductionB(net: Net, x: Tensor): Tensor {
  const a = net.conv(net.conv(x, 192, 1), 320, 3, { stride: 2, pad: 0 });
  const b = net.conv(
    chain(net, x, [
      [192, 1],
      [192, ROW],
      [192, COLUMN],
    ]),
    192,
    3,
    { stride: 2, pad: 0 },
  );
  return net.concat([a, b, net.maxPool(x, 3, { stride: 2 })]);
}

/** Figure 7: the last 3x3 windows as a row and a column side by side. */
function blockC(net: Net, x: Tensor): Tensor {
  const fan = (y: Tensor) => [net.conv(y, 384, [1, 3]), net.conv(y, 384, [3, 1])];
  const one = net.conv(x, 320, 1);
  const single = fan(net.conv(x, 384, 1));
  const double = fan(
    chain(net, x, [
      [448, 1],
      [384, 3],
    ]),
  );
  return net.concat([one, ...single, ...double, smooth(net, x, 192)]);
}

export function inceptionV3(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([299, 299] as const)), 3);
  x = net.conv(x, 32, 3, { stride: 2, pad: 0 });
  x = net.conv(x, 32, 3, { pad: 0 });
  x = net.conv(x, 64, 3);
  x = net.maxPool(x, 3, { stride: 2 });
  x = net.conv(x, 80, 1);
  x = net.conv(x, 192, 3, { pad: 0 });
  x = net.maxPool(x, 3, { stride: 2 });
  for (const pooled of [32, 64, 64]) x = blockA(net, x, pooled);
  x = reductionA(net, x);
  for (const c of [128, 160, 160, 192]) x = blockB(net, x, c);
  x = reductionB(net, x);
  for (let i = 0; i < 2; i++) x = blockC(net, x);
  return net.finish(net.dense(net.globalAverage(x), 1000, { exact: true }));
}
