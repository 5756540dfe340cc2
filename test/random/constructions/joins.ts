/** Random residual blocks, broadcasts and concats: parts that are inputs or outputs, parts of parts, the same part twice. */
import { TidemarkError } from '../../../src/errors.ts';
import type { Tensor } from '../../../src/graph/graph.ts';
import type { GraphMaker } from '../graph-maker.ts';
import { conv, pool, windowAttributes } from './windows.ts';

export function residual(make: GraphMaker): number {
  const x = make.picture();
  const kind = make.any(['Add', 'Add', 'Add', 'Mul', 'Sub', 'Max']);
  const dice = make.random();
  if (dice < 0.1) {
    make.add(kind, [x, x], {}, make.activation(0.2));
    return 1;
  }
  if (dice < 0.3) {
    // Squeeze and excite, or a broadcast of a constant.
    const shape = [1, 1, 1, x.shape[3]];
    if (make.chance(0.3)) shape[make.int(1, 2)] = x.shape[make.int(1, 2)];
    const other = make.chance(0.6)
      ? make.add('ReduceMean', [x], { axes: [1, 2], keepDims: true }, make.activation())
      : make.constant(shape, 1);
    make.add(kind, make.chance(0.8) ? [x, other] : [other, x], {}, make.activation(0.2));
    return 2;
  }
  const equal = make.pictures.filter((t) => t !== x && String(t.shape) === String(x.shape));
  if (dice < 0.55 && equal.length > 0) {
    make.add(kind, [x, make.any(equal)], {}, make.activation(0.2));
    return 1;
  }
  if (dice < 0.65) {
    const fits = make.pictures.filter((t) => t !== x && t.shape.every((d, i) => d === 1 || d === x.shape[i]));
    if (fits.length > 0) {
      make.add(kind, [x, make.any(fits)], {}, make.activation(0.2));
      return 1;
    }
  }
  // A block of one or two same convolutions that keeps the channels.
  let y = x;
  const layers = make.int(1, 2);
  for (let i = 0; i < layers; i++) {
    const kernel = [make.int(1, 3), make.int(1, 3)];
    const groups = make.chance(0.3) ? x.shape[3] : 1;
    const w = make.constant([x.shape[3], ...kernel, x.shape[3] / groups], 0.4);
    y = make.add('Conv', [y, w], { ...windowAttributes(make, true, kernel), groups }, make.activation());
  }
  make.add(kind, make.chance(0.5) ? [x, y] : [y, x], {}, make.activation(0.2));
  return layers + 1;
}

export function concat(make: GraphMaker): number {
  const x = make.picture();
  const axis = make.chance(0.75) ? 3 : make.int(1, 2);
  const matches = (t: Tensor) => t.shape.every((d, i) => i === axis || d === x.shape[i]);
  let made = 1;
  const parts: Tensor[] = [x];
  if (make.chance(0.5)) {
    // An inception or dense block: parts made of x.
    const branches = make.int(1, 2);
    for (let b = 0; b < branches; b++) {
      const before = make.pictures.length;
      made += make.chance(0.75) ? conv(make, x, true) : pool(make, x, true);
      const y = make.pictures[make.pictures.length - 1];
      if (make.pictures.length > before && matches(y)) parts.push(y);
    }
    if (parts.length > 1 && make.chance(0.5)) parts.shift();
  }
  const others = make.pictures.filter((t) => !parts.includes(t) && matches(t));
  while (others.length > 0 && parts.length < 4 && make.chance(0.45)) {
    parts.push(...others.splice(make.int(0, others.length - 1), 1));
  }
  if (make.chance(0.1)) parts.push(make.any(parts));
  if (make.chance(0.06))
    parts.push(
      make.constant(
        x.shape.map((d, i) => (i === axis ? 1 : d)),
        1,
      ),
    );
  if (make.chance(0.3)) parts.reverse();
  if (parts.length < 2 && make.chance(0.9))
    throw new TidemarkError('shape-mismatch', 'nothing to concatenate');
  make.add('Concat', parts, { axis }, make.activation(0.05));
  return made;
}
