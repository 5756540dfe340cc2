import { expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';

test("TFLite's bilinear uint8 rounds to the nearest, halves up", () => {
  const quant = { scale: [1], zeroPoint: [0], axis: 0 };
  const attrs = {
    size: [1, 4],
    scales: [1, 2],
    mode: 'linear',
    coordinates: 'asymmetric',
    nearest: 'floor',
    cubicA: -0.75,
    excludeOutside: false,
    antialias: false,
  };
  const tensor = (id: number, shape: number[]) => ({ id, name: `${id}`, shape, dtype: 'u8' as const, quant });
  const [y] = evaluate(
    {
      op: { id: 0, name: 'resize', kind: 'Resize', inputs: [0], outputs: [1], attrs },
      inputs: [tensor(0, [1, 1, 2, 1])],
      outputs: [tensor(1, [1, 1, 4, 1])],
      dialect: 'tflite',
    },
    [Uint8Array.of(10, 13)],
  );
  expect(Array.from(y)).toEqual([10, 12, 13, 13]);
});
