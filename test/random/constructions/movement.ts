/** Random operators that only move data: slices, pads, reshapes, transposes and shuffles of channels. */
import type { Tensor } from '../../../src/graph/graph.ts';
import type { GraphMaker } from '../graph-maker.ts';

export function slice(make: GraphMaker, x: Tensor): number {
  const rank = x.shape.length;
  const axis = make.chance(0.5) ? 3 : make.chance(0.7) ? 1 : make.int(0, rank - 1);
  const d = x.shape[axis];
  if (make.chance(0.3) && d > 1) {
    // Split: both halves stay in the pool.
    const at = make.int(1, d - 1);
    for (const [start, size] of [
      [0, at],
      [at, d - at],
    ]) {
      const starts = x.shape.map((_, i) => (i === axis ? start : 0));
      make.add('Slice', [x], {
        starts,
        steps: x.shape.map(() => 1),
        sizes: x.shape.map((s, i) => (i === axis ? size : s)),
      });
    }
    return 2;
  }
  const step = make.chance(0.75) ? 1 : make.any([2, -1]);
  const start = step > 0 ? make.int(0, d - 1) : d - 1;
  const most = step > 0 ? Math.ceil((d - start) / step) : d;
  const size = make.int(1, most);
  const place = (on: number, off: (i: number) => number) => x.shape.map((_, i) => (i === axis ? on : off(i)));
  make.add('Slice', [x], {
    starts: place(start, () => 0),
    steps: place(step, () => 1),
    sizes: place(size, (i) => x.shape[i]),
  });
  return 1;
}

export function pad(make: GraphMaker, x: Tensor): number {
  const mode = make.any(['constant', 'constant', 'edge', 'reflect', 'symmetric']);
  const amount = (d: number) =>
    make.chance(0.4) ? 0 : make.int(0, mode === 'constant' ? 2 : Math.min(2, d - 1));
  const channels = make.chance(0.25);
  const side = () => x.shape.map((d, i) => (i === 0 || (i === 3 && !channels) ? 0 : amount(d)));
  make.add('Pad', [x], { before: side(), after: side(), mode, value: make.any([0, 0, 0.5]) });
  return 1;
}

export function reshape(make: GraphMaker, x: Tensor): number {
  const [n, h, w, c] = x.shape;
  const shapes = [
    [n, h * w, 1, c],
    [n, 1, h * w, c],
    [n, w, h, c],
    [1, n * h, w, c],
    [n, h, w * c, 1],
    [n, h, 1, w * c],
  ];
  if (h % 2 === 0) shapes.push([n, h / 2, w * 2, c], [n, h / 2, w, 2 * c]);
  if (c % 2 === 0) shapes.push([n, h, w * 2, c / 2]);
  make.add('Reshape', [x], { shape: make.any(shapes) }, make.activation(0.08));
  return 1;
}

export function transpose(make: GraphMaker, x: Tensor): number {
  make.add('Transpose', [x], {
    perm: make.any([
      [0, 2, 1, 3],
      [0, 3, 1, 2],
      [0, 2, 3, 1],
      [0, 1, 3, 2],
    ]),
  });
  return 1;
}

export function shuffles(make: GraphMaker, x: Tensor): number {
  const c = x.shape[3];
  const kind = make.any(['ChannelShuffle', 'DepthToSpace', 'SpaceToDepth', 'Tile']);
  if (kind === 'ChannelShuffle') {
    const groups = [2, 3, c].filter((g) => c % g === 0);
    make.add(kind, [x], { groups: make.any(groups) });
  } else if (kind === 'Tile')
    make.add(kind, [x], { repeats: [1, make.int(1, 2), make.int(1, 2), make.int(1, 2)] });
  else make.add(kind, [x], { block: 2, order: make.any(['DCR', 'CRD']) });
  return 1;
}
