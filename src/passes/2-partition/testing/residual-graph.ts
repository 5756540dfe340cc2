/** Small random networks of windows, adds over older maps and concats: what partitions and closures are tried on. */
import { GraphBuilder } from '../../../graph/builder.ts';
import { elementCount, type Graph, type Tensor } from '../../../graph/graph.ts';
import { pick, seeded } from '../../../ops/testing/operator-case.ts';
import { uniformValues } from '../../../zoo/seed.ts';

/** The same seed gives the same network. About half of the layers beyond the third join an older map. */
export function residualGraph(seed: number, layers = 9): Graph {
  const random = seeded(seed * 2654435761);
  const b = new GraphBuilder(`residual-${seed}`, 'onnx');
  const size = pick(random, 6, 14);
  const x = b.input({ name: 'x', shape: [1, size, pick(random, 3, 7), 4], dtype: 'f32' }, { dtype: 'f32' });
  const maps: Tensor[] = [x];
  const read = new Set<number>();
  let made = 0;
  const add = (t: Tensor, ...inputs: Tensor[]) => {
    for (const i of inputs) read.add(i.id);
    maps.push(t);
    made++;
  };
  const conv = (from: Tensor, channels: number, kernel: number, stride: number) => {
    const shape = [channels, kernel, Math.min(kernel, 3), from.shape[3]];
    const count = elementCount(shape);
    const bound = Math.sqrt(3 / (count / channels));
    const w = b.constant(`w${made}`, shape, uniformValues(seed * 977 + made + 1, count, bound));
    const pad = (kernel - 1) >> 1;
    const side = (shape[2] - 1) >> 1;
    return b.op(
      'Conv',
      [from, w],
      { stride: [stride, 1], dilation: [1, 1], pads: [pad, side, pad, side], groups: 1 },
      { name: `conv${made}` },
    );
  };
  while (made < layers) {
    const last = maps[maps.length - 1];
    const dice = random();
    const twin = maps.filter((m) => m !== last && m.shape.join() === last.shape.join());
    const alike = maps.filter(
      (m) => m !== last && m.shape[1] === last.shape[1] && m.shape[2] === last.shape[2],
    );
    if (dice < 0.4 && twin.length > 0) {
      const other = twin[pick(random, 0, twin.length - 1)];
      const pair = random() < 0.5 ? [last, other] : [other, last];
      add(b.op('Add', pair, {}, { name: `add${made}` }), ...pair);
    } else if (dice < 0.5 && alike.length > 0 && last.shape[3] < 12) {
      const other = alike[pick(random, 0, alike.length - 1)];
      const joined = b.op('Concat', [last, other], { axis: 3 }, { name: `cat${made}` });
      const y = conv(joined, 4, 1 + 2 * pick(random, 0, 1), 1);
      add(y, last, other);
    } else if (dice < 0.6 && last.shape[1] > 4) {
      const attrs = { kernel: [2, 1], stride: [2, 1], dilation: [1, 1], pads: [0, 0, 0, 0], ceil: false };
      add(b.op('MaxPool', [last], attrs, { name: `pool${made}` }), last);
    } else {
      const kernel = 1 + 2 * pick(random, 0, 2);
      const stride = last.shape[1] > 6 && random() < 0.2 ? 2 : 1;
      const channels = random() < 0.6 ? last.shape[3] : pick(random, 2, 6);
      const from = random() < 0.15 ? maps[pick(random, 0, maps.length - 1)] : last;
      if (from.shape[1] >= 2) add(conv(from, channels, kernel, stride), from);
    }
  }
  // What nothing reads leaves, so that every layer counts.
  maps
    .filter((m) => !read.has(m.id))
    .forEach((t, i) => {
      b.output(t, { name: `y${i}`, shape: t.shape, dtype: 'f32' });
    });
  return b.build();
}
