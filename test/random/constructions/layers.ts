/** Random means, dense layers and functions of one value, and what most networks have little of. */
import { elementCount, type Tensor } from '../../../src/graph/graph.ts';
import { type GraphMaker, UNARY } from '../graph-maker.ts';

/** What most networks have little of. */
export function rarer(make: GraphMaker, x: Tensor): number {
  const c = x.shape[3];
  const line = (bound: number) => make.constant([c], bound);
  const epsilon = 0.001;
  const made: readonly (() => Tensor)[] = [
    () =>
      make.add('MatMul', [x, make.constant([1, 1, c, make.int(1, 5)], 0.5)], {
        transposeA: false,
        transposeB: false,
      }),
    () => {
      const axis = make.int(1, 3);
      const indices = Int32Array.from({ length: make.int(1, 4) }, () => make.int(0, x.shape[axis] - 1));
      const list = make.indices(indices);
      return make.add('Gather', [x, list], { axis });
    },
    () => make.add('LayerNormalization', [x, line(1), line(0.5)], { axis: 3, epsilon }),
    () => make.add('InstanceNormalization', [x, line(1), line(0.5)], { epsilon }),
    () => make.add('LRN', [x], { size: make.any([1, 3, 5]), alpha: 0.1, beta: 0.75, bias: 1 }),
    () => make.add('LpNormalization', [x], { axis: 3, p: make.any([1, 2]) }),
    () => make.add('PRelu', [x, make.constant([1, 1, 1, c], 0.5)]),
    () => make.add('ReduceSum', [x], { axes: make.any([[1], [2], [1, 2]]), keepDims: true }),
    () => make.add('Min', [x, make.constant([1, 1, 1, c], 0.5)]),
  ];
  make.any(made)();
  return 1;
}

export function mean(make: GraphMaker, x: Tensor): number {
  const axes = make.any([[1, 2], [1, 2], [1, 2], [1], [2], [0, 1, 2]]);
  const kind = make.any(['ReduceMean', 'ReduceMean', 'ReduceMax']);
  make.add(
    kind,
    [x],
    { axes, keepDims: make.chance(0.7) },
    kind === 'ReduceMean' ? make.activation(0.2) : {},
  );
  return 1;
}

export function dense(make: GraphMaker, x: Tensor): number {
  const flatten = make.chance(0.6);
  const out = make.int(1, 5);
  const k = flatten ? elementCount(x.shape) / x.shape[0] : x.shape[3];
  const bias = make.chance(0.6) ? make.constant([out], 0.5) : undefined;
  const y = make.add(
    'FullyConnected',
    [x, make.constant([out, k], 1 / Math.sqrt(k)), bias],
    { flatten },
    make.activation(),
  );
  if (make.chance(0.4)) make.add('Softmax', [y], { axis: y.shape.length - 1, beta: 1 });
  return 1;
}

export function unary(make: GraphMaker, x: Tensor): number {
  if (make.chance(0.15)) make.add('Softmax', [x], { axis: make.int(1, 3), beta: 1 });
  else {
    const [kind, attrs] = make.any(UNARY);
    make.add(kind, [x], attrs, make.activation(0.1));
  }
  return 1;
}
