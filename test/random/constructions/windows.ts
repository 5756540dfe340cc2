/** Random operators with a window, and resizing: odd sizes, windows larger than the map, weights that are computed. */
import { TidemarkError } from '../../../src/errors.ts';
import { type Attributes, elementCount, type Tensor } from '../../../src/graph/graph.ts';
import type { GraphMaker } from '../graph-maker.ts';

/** Where a window stands; `same`: such that the map keeps its size. */
export function windowAttributes(make: GraphMaker, same: boolean, kernel: readonly number[]): Attributes {
  if (same) {
    const half = kernel.map((k) => k >> 1);
    return {
      stride: [1, 1],
      dilation: [1, 1],
      pads: [half[0], half[1], kernel[0] - 1 - half[0], kernel[1] - 1 - half[1]],
    };
  }
  const stride = make.chance(0.5) ? [1, 1] : [make.int(1, 3), make.int(1, 3)];
  const dilation = make.chance(0.85) ? [1, 1] : [make.int(1, 2), make.int(1, 3)];
  const pads = make.chance(0.4)
    ? [0, 0, 0, 0]
    : kernel.flatMap((_, i) => [kernel[0], kernel[1]].map((k) => make.int(0, Math.min(3, k - 1 + (i % 2)))));
  return { stride, dilation, pads };
}

export function conv(make: GraphMaker, x: Tensor, same = make.chance(0.4)): number {
  const c = x.shape[3];
  const kernel = make.chance(0.25) ? [1, 1] : [make.int(1, 4), make.int(1, 4)];
  const divisors = [1, 2, 3, c].filter((g) => c % g === 0);
  const groups = make.chance(0.6) ? 1 : make.any(divisors);
  const out = groups * make.int(1, groups > 2 ? 2 : 4);
  const attrs = { ...windowAttributes(make, same, kernel), groups };
  const w = make.constant([out, ...kernel, c / groups], 1 / Math.sqrt((c / groups) * kernel[0] * kernel[1]));
  const bias = make.chance(0.7) ? make.constant([out], 0.5) : undefined;
  make.add('Conv', [x, w, bias], attrs, make.activation());
  return 1;
}

/** A convolution or a product whose weights are computed too. */
export function dynamic(make: GraphMaker, x: Tensor): number {
  const c = x.shape[3];
  const other = make.any(make.pictures);
  if (make.chance(0.5)) {
    // A slice of channels lies strided unless it is copied.
    if (other.shape[3] < c) throw new TidemarkError('shape-mismatch', 'too few channels');
    const starts = [0, 0, 0, make.int(0, other.shape[3] - c)];
    const sizes = [1, Math.min(other.shape[1], 3), Math.min(other.shape[2], 2), c];
    const w = make.add('Slice', [other], { starts, steps: [1, 1, 1, 1], sizes });
    make.add(
      'Conv',
      [x, w],
      { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 },
      make.activation(),
    );
    return 2;
  }
  if (elementCount(other.shape) % c !== 0) throw new TidemarkError('shape-mismatch', 'does not divide');
  const w = make.add('Reshape', [other], { shape: [elementCount(other.shape) / c, c] });
  make.add('FullyConnected', [x, w], { flatten: false }, make.activation());
  return 2;
}

export function pool(make: GraphMaker, x: Tensor, same = make.chance(0.3)): number {
  const kernel = [make.int(1, 3), make.int(1, 3)];
  const attrs = { ...windowAttributes(make, same, kernel), kernel, ceil: !same && make.chance(0.4) };
  if (make.chance(0.5)) make.add('MaxPool', [x], attrs, make.activation(0.1));
  else make.add('AveragePool', [x], { ...attrs, countPad: make.chance(0.3) }, make.activation(0.1));
  return 1;
}

export function convTranspose(make: GraphMaker, x: Tensor): number {
  const kernel = [make.int(1, 3), make.int(1, 3)];
  const c = x.shape[3];
  const groups = make.chance(0.7) ? 1 : c;
  const out = groups * make.int(1, 3);
  const stride = [make.int(1, 2), make.int(1, 2)];
  const pads = make.chance(0.5)
    ? [0, 0, 0, 0]
    : [make.int(0, 1), make.int(0, 1), make.int(0, 1), make.int(0, 1)];
  const attrs = { stride, dilation: [1, 1], pads, groups, outputPadding: [0, 0] };
  const bias = make.chance(0.5) ? make.constant([out], 0.5) : undefined;
  make.add(
    'ConvTranspose',
    [x, make.constant([out, ...kernel, c / groups], 0.4), bias],
    attrs,
    make.activation(),
  );
  return 1;
}

export function resize(make: GraphMaker, x: Tensor): number {
  const scales = [make.any([1, 2, 2, 0.5, 1.5]), make.any([1, 2, 2, 0.5, 1.5])];
  const size = [
    Math.max(1, Math.floor(x.shape[1] * scales[0])),
    Math.max(1, Math.floor(x.shape[2] * scales[1])),
  ];
  const attrs = {
    size,
    scales,
    mode: make.any(['nearest', 'nearest', 'linear', 'linear', 'cubic']),
    coordinates: make.any(['half_pixel', 'asymmetric', 'align_corners']),
    nearest: 'floor',
    cubicA: -0.75,
    excludeOutside: false,
    antialias: false,
  };
  make.add('Resize', [x], attrs);
  return 1;
}
