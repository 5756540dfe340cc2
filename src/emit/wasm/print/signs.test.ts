import { expect, test } from 'vitest';
import { Builder, i32, index, load, max, mul, place, plus, times } from '../../../kernels/builder.ts';
import { ARENA_REGION, type Expr } from '../../../kernels/ir.ts';
import { mayBeNegative, negativeNames } from './signs.ts';

const local = (name: string): Expr => ({ kind: 'local', type: 'index', name });

test('names that are made of what walks down, also where a loop changes them below', () => {
  const b = new Builder();
  const start = b.let('start', plus(local('f'), -1));
  const at = b.variable('at', index(0));
  b.for('i', start, 4, 1, (i) => {
    b.store('i32', place(ARENA_REGION, times(plus(at, i), 4)), i32(1));
    b.set(at, plus(at, start));
  });
  const fn = b.function('fn', [{ name: 'f', type: 'index' }]);
  expect([...negativeNames(fn)].sort()).toEqual(['at', 'i', 'start']);
});

test('what a limit, a mask or the kernel itself holds up is not negative', () => {
  const down = plus(local('f'), -1);
  const none = new Set<string>();
  expect(mayBeNegative(down, none)).toBe(true);
  expect(mayBeNegative(max(down, index(0)), none)).toBe(false);
  expect(mayBeNegative(mul(local('f'), index(3)), none)).toBe(false);
  const stored = load('i32', 'i32', place(ARENA_REGION, local('f')));
  expect(mayBeNegative({ kind: 'convert', type: 'index', op: 'value', x: stored }, none)).toBe(true);
  const b = new Builder();
  const at = b.natural('at', down);
  b.store('i32', place(ARENA_REGION, at), i32(1));
  expect(negativeNames(b.function('fn', []))).not.toContain('at');
});
