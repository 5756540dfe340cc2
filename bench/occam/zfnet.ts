/** ZFNet (Zeiler & Fergus 2014), the convolutions and pools: in the published averages, not in the zoo. */
import type { Graph } from '../../src/graph/graph.ts';
import { Net } from '../../src/zoo/net.ts';

export function zfnet(): Graph {
  const net = new Net('zfnet', 'relu', {});
  let x = net.input(224, 224, 3);
  x = net.conv(x, 96, 7, { stride: 2, pad: 1 });
  x = net.maxPool(x, 3, { stride: 2, pad: 1 });
  x = net.conv(x, 256, 5, { stride: 2, pad: 0 });
  x = net.maxPool(x, 3, { stride: 2, pad: 1 });
  x = net.conv(x, 384, 3);
  x = net.conv(x, 384, 3);
  x = net.conv(x, 256, 3);
  x = net.maxPool(x, 3, { stride: 2 });
  return net.finish(net.dense(x, 4096, { act: 'relu' }));
}
