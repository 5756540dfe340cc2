/** Random small graphs in the file's order and channels last: every pass keeps what they compute. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../graph/graph.ts';
import { pick } from '../../ops/testing/check-operator.ts';
import { kinds, normalised } from './testing/equivalence.ts';
import { type Sketch, sketch } from './testing/small-graphs.ts';

const UNARY: readonly [string, Record<string, number | null>][] = [
  ['Clip', { min: 0, max: 6 }],
  ['Clip', { min: 0, max: null }],
  ['Sigmoid', {}],
  ['HardSwish', {}],
  ['LeakyRelu', { alpha: 0.1 }],
  ['Copy', {}],
];

/** One more tensor from those there are. */
function grow(s: Sketch, all: Tensor[]): Tensor {
  const { random } = s;
  const x = all[pick(random, 0, all.length - 1)];
  const rank = x.shape.length;
  switch (pick(random, 0, 10)) {
    case 0: {
      const perm =
        rank === 4
          ? [
              [0, 2, 3, 1],
              [0, 3, 1, 2],
              [0, 1, 3, 2],
            ][pick(random, 0, 2)]
          : [1, 0];
      return rank === 4 || rank === 2 ? s.op('Transpose', [x], { perm }) : x;
    }
    case 1:
      return rank === 4 ? s.conv(x, pick(random, 1, 4), 3, 1) : x;
    case 2: {
      const [kind, attrs] = UNARY[pick(random, 0, UNARY.length - 1)];
      return s.op(kind, [x], attrs);
    }
    case 3: {
      const kind = ['Add', 'Mul', 'Sub'][pick(random, 0, 2)];
      const vector = s.weights(
        x.shape.map((d, i) => (i === rank - 1 || (i === 1 && random() < 0.3) ? d : 1)),
      );
      return s.op(kind, random() < 0.5 ? [x, vector] : [vector, x]);
    }
    case 4: {
      const mates = all.filter((t) => `${t.shape}` === `${x.shape}`);
      return s.op(['Add', 'Mul', 'Max'][pick(random, 0, 2)], [x, mates[pick(random, 0, mates.length - 1)]]);
    }
    case 5: {
      const axis = pick(random, 0, rank - 1);
      const fits = (t: Tensor) =>
        t.shape.length === rank && t.shape.every((d, i) => i === axis || d === x.shape[i]);
      const mates = all.filter(fits);
      return s.op('Concat', [x, mates[pick(random, 0, mates.length - 1)]], { axis });
    }
    case 6: {
      if (rank !== 4) return x;
      const side = () => pick(random, 0, 1);
      return s.op('Pad', [x], {
        before: [0, side(), side(), 0],
        after: [0, side(), side(), 0],
        mode: 'constant',
        value: 0,
      });
    }
    case 7:
      return s.op('Mul', [x, s.op('Sigmoid', [x])]);
    case 8: {
      const [first, ...rest] = x.shape;
      const flat = rest.reduce((a, d) => a * d, 1);
      const y = s.op('Reshape', [x], { shape: [first, flat] });
      return random() < 0.5 ? y : s.op('FullyConnected', [y, s.weights([3, flat])], { flatten: false });
    }
    case 9:
      return rank === 4 ? s.op('ReduceMean', [x], { axes: [2, 3], keepDims: random() < 0.5 }) : x;
    default: {
      const sizes = x.shape.map((d) => (d > 2 && random() < 0.4 ? d - 1 : d));
      return s.op('Slice', [x], {
        starts: x.shape.map((d, i) => d - sizes[i]),
        steps: x.shape.map(() => 1),
        sizes,
      });
    }
  }
}

describe('random graphs', () => {
  test.each(Array.from({ length: 20 }, (_, i) => i))('batch %i of 25', (batch) => {
    for (let i = 0; i < 25; i++) {
      const seed = batch * 25 + i;
      const graph = sketch(
        (s) => {
          const all = [s.input([1, 3, 4, 2]), s.input([1, 2, 3, 4])];
          const length = pick(s.random, 2, 14);
          for (let k = 0; k < length; k++) all.push(grow(s, all));
          const last = all.slice(-pick(s.random, 1, 3));
          return [...new Set(last)];
        },
        'onnx',
        seed,
      );
      const result = normalised(graph, { relative: 1e-5, seed });
      expect(kinds(result).length, `seed ${seed}`).toBeLessThanOrEqual(graph.operators.length + 2);
    }
  });
});
