/** ResNets (He et al. 2016; the stride of a bottleneck in its 3x3 convolution) and MLPerf Tiny's ResNet-8. */
import type { Graph, Tensor } from '../graph/graph.ts';
import { Net, type NetOptions, type Padding } from './net.ts';

/** A residual branch adds little, so that many of them keep the scale of the sum. */
const BRANCH = 0.3;

/** The sum with the branch, through a 1x1 convolution where the shape changes. */
function join(
  net: Net,
  branch: Tensor,
  x: Tensor,
  channels: number,
  stride: number,
  project: boolean,
): Tensor {
  const shortcut = project ? net.conv(x, channels, 1, { stride, act: 'none' }) : x;
  return net.add(branch, shortcut, 'relu');
}

function basic(
  net: Net,
  x: Tensor,
  channels: number,
  stride: number,
  project: boolean,
  pad: Padding,
): Tensor {
  let y = net.conv(x, channels, 3, { stride, pad });
  y = net.conv(y, channels, 3, { pad, act: 'none', gain: BRANCH });
  return join(net, y, x, channels, stride, project);
}

function bottleneck(net: Net, x: Tensor, channels: number, stride: number, project: boolean): Tensor {
  let y = net.conv(x, channels, 1);
  y = net.conv(y, channels, 3, { stride });
  y = net.conv(y, 4 * channels, 1, { act: 'none', gain: BRANCH });
  return join(net, y, x, 4 * channels, stride, project);
}

/** `depths[i]` blocks at resolution i. */
export function resnet(
  name: string,
  block: 'basic' | 'bottleneck',
  depths: readonly number[],
  options: NetOptions,
): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([224, 224] as const)), 3);
  x = net.conv(x, 64, 7, { stride: 2 });
  x = net.maxPool(x, 3, { stride: 2, pad: 1 });
  depths.forEach((depth, i) => {
    for (let k = 0; k < depth; k++) {
      const stride = i > 0 && k === 0 ? 2 : 1;
      if (block === 'basic') x = basic(net, x, 64 << i, stride, stride === 2, 'half');
      else x = bottleneck(net, x, 64 << i, stride, k === 0);
    }
  });
  x = net.globalAverage(x);
  return net.finish(net.dense(x, 1000, { exact: true }));
}

export function resnet8(name: string, options: NetOptions): Graph {
  const net = new Net(name, 'relu', options);
  let x = net.input(...(options.size ?? ([32, 32] as const)), 3);
  x = net.conv(x, 16, 3);
  x = basic(net, x, 16, 1, false, 'same');
  x = basic(net, x, 32, 2, true, 'same');
  x = basic(net, x, 64, 2, true, 'same');
  x = net.globalAverage(x);
  return net.finish(net.dense(x, 10, { exact: true }));
}
