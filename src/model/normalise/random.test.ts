/** Random small graphs in the file's order and channels last: every pass keeps what they compute. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../graph/graph.ts';
import { pick, type Random } from '../../ops/testing/operator-case.ts';
import { kinds, normalised } from './testing/equivalence.ts';
import { F32, type Sketch, sketch } from './testing/small-graphs.ts';

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
    case 0:
      return s.op('Transpose', [x], { perm: shuffled(random, rank) });
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
    case 9: {
      const axes = shuffled(random, rank)
        .slice(0, pick(random, 1, 2))
        .sort((p, q) => p - q);
      return rank > 2 ? s.op('ReduceMean', [x], { axes, keepDims: random() < 0.5 }) : x;
    }
    default: {
      const sizes = x.shape.map((d) => (random() < 0.3 ? pick(random, 1, d) : d));
      const starts = x.shape.map((d, i) => (random() < 0.5 ? 0 : d - sizes[i]));
      return s.op('Slice', [x], { starts, steps: x.shape.map(() => 1), sizes });
    }
  }
}

/** The numbers below n in any order. */
function shuffled(random: Random, n: number): number[] {
  const list = [...Array(n).keys()];
  for (let i = n - 1; i > 0; i--) {
    const k = pick(random, 0, i);
    [list[i], list[k]] = [list[k], list[i]];
  }
  return list;
}

describe('random graphs', () => {
  test.each(Array.from({ length: 20 }, (_, i) => i))('batch %i of 25', (batch) => {
    for (let i = 0; i < 25; i++) {
      const seed = batch * 25 + i;
      const graph = sketch(
        (s) => {
          const batch = pick(s.random, 1, 2);
          const perm = s.random() < 0.5 ? shuffled(s.random, 4) : undefined;
          const all = [s.input([batch, 3, 4, 2]), s.input([batch, 2, 3, 4], F32, perm)];
          const length = pick(s.random, 2, 14);
          for (let k = 0; k < length; k++) all.push(grow(s, all));
          const last = all.slice(-pick(s.random, 1, 3));
          return [...new Set(last)];
        },
        'onnx',
        seed,
        (t, s) => (s.random() < 0.3 ? shuffled(s.random, t.shape.length) : undefined),
      );
      const result = normalised(graph, { relative: 1e-5, seed });
      expect(kinds(result).length, `seed ${seed}`).toBeLessThanOrEqual(graph.operators.length + 2);
    }
  });
});
