import { expect, test } from 'vitest';
import { quantisedSum } from './quantised-sum.ts';

test('a 16-bit difference takes its factors in double precision, as TFLite does', () => {
  // Two operands of very different scales, where factors in float32 end one step away.
  const f = (x: number) => Math.fround(x);
  const sub = quantisedSum(
    { scale: f(0.0009693715837784111), zero: 0 },
    { scale: f(0.000008709842404641677), zero: 0 },
    { scale: f(0.0005941494018770754), zero: 0 },
    'i16',
    -1,
  );
  expect(sub(-12142, 25341)).toBe(-20181);
  expect(sub(10199, -22480)).toBe(16969);
});
