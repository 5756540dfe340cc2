import { describe, expect, it } from 'vitest';
import { resize } from './resize.ts';
import { checkOperator, pick, randomInput, runWhole, seeded } from './testing/check-operator.ts';

const base = { cubicA: -0.75, excludeOutside: false, antialias: false, nearest: 'round_prefer_floor' };

/** A row of values resized to `size`. */
function row(
  values: readonly number[],
  size: number,
  attrs: Record<string, string | number | boolean>,
  dialect: 'onnx' | 'tflite' = 'onnx',
) {
  const x = {
    shape: [1, 1, values.length, 1],
    type: { dtype: 'f32' as const },
    values: Float32Array.from(values),
  };
  const all = { ...base, size: [1, size], scales: [1, size / values.length], ...attrs };
  return [...runWhole(resize, { inputs: [x], attrs: all, dialect })[0]];
}

describe('Resize', () => {
  it('keeps its promises in every mode', () => {
    const random = seeded(7);
    const coordinates = [
      'asymmetric',
      'half_pixel',
      'pytorch_half_pixel',
      'half_pixel_symmetric',
      'align_corners',
      'tf_half_pixel_for_nn',
    ];
    for (let round = 0; round < 60; round++) {
      const shape = [pick(random, 1, 2), pick(random, 1, 5), pick(random, 1, 5), pick(random, 1, 3)];
      const size = [pick(random, 1, 7), pick(random, 1, 7)];
      const attrs = {
        size,
        scales: [size[0] / shape[1], size[1] / shape[2]],
        mode: ['nearest', 'linear', 'cubic'][round % 3],
        coordinates: coordinates[pick(random, 0, 5)],
        nearest: ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'][pick(random, 0, 3)],
        cubicA: -0.75,
        excludeOutside: random() < 0.5,
        antialias: random() < 0.3,
      };
      const quant = { scale: [0.1], zeroPoint: [3], axis: 0 };
      const type = [
        { dtype: 'f32' as const },
        { dtype: 'i8' as const, quant },
        { dtype: 'u8' as const, quant },
      ][pick(random, 0, 2)];
      const dialect = random() < 0.5 ? ('onnx' as const) : ('tflite' as const);
      checkOperator(resize, { inputs: [randomInput(random, shape, type)], attrs, dialect }, round);
    }
  });

  it('samples as ONNX specifies', () => {
    expect(row([1, 2, 3, 4], 8, { mode: 'nearest', coordinates: 'asymmetric', nearest: 'floor' })).toEqual([
      1, 1, 2, 2, 3, 3, 4, 4,
    ]);
    expect(row([1, 2], 4, { mode: 'linear', coordinates: 'half_pixel' })).toEqual([1, 1.25, 1.75, 2]);
    expect(row([1, 2, 3], 5, { mode: 'linear', coordinates: 'align_corners' })).toEqual([1, 1.5, 2, 2.5, 3]);
    const cubic = row([1, 2, 3, 4], 8, { mode: 'cubic', coordinates: 'half_pixel' });
    // Keys' kernel with a = -0.75 at a distance of 0.25 and 0.75, by hand
    expect(cubic[4]).toBeCloseTo(-0.03515625 * 1 + 0.26171875 * 2 + 0.87890625 * 3 - 0.10546875 * 4, 5);
  });

  it('widens the filter when it shrinks with antialias', () => {
    // 7 to 3: triangles of radius 7/3 around 2/3 + 0.5; outside stands for the border, or is left out
    const tent = [-1, 0, 1, 2].map((i) => 1 - (Math.abs(i + 0.5 - 7 / 6) * 3) / 7);
    const sum = tent.reduce((s, w) => s + w, 0);
    const attrs = { mode: 'linear', coordinates: 'half_pixel', antialias: true };
    expect(row([1, 0, 0, 0, 0, 0, 0], 3, attrs)[0]).toBeCloseTo((tent[0] + tent[1]) / sum, 5);
    const excluding = { ...attrs, excludeOutside: true };
    expect(row([1, 0, 0, 0, 0, 0, 0], 3, excluding)[0]).toBeCloseTo(tent[1] / (sum - tent[0]), 5);
  });

  it('rounds coordinates as TFLite does', () => {
    expect(row([1, 2, 3], 5, { mode: 'nearest', coordinates: 'asymmetric' }, 'tflite')).toEqual([
      1, 1, 2, 2, 3,
    ]);
    expect(row([1, 2, 3], 2, { mode: 'nearest', coordinates: 'align_corners' }, 'tflite')).toEqual([1, 3]);
    const attrs = { ...base, size: [1, 5], scales: [1, 5 / 3], mode: 'linear', coordinates: 'asymmetric' };
    const type = { dtype: 'i8' as const, quant: { scale: [1], zeroPoint: [0], axis: 0 } };
    const x = { shape: [1, 1, 3, 1], type, values: Int8Array.of(-100, 0, 101) };
    // step 614/1024: weights 410:614, 820:204 of 1024 and so on, rounded once
    expect([...runWhole(resize, { inputs: [x], attrs, dialect: 'tflite' })[0]]).toEqual([
      -100, -40, 20, 81, 101,
    ]);
  });

  it('refuses modes that it does not have', () => {
    expect(() => row([1], 2, { mode: 'linear', coordinates: 'tf_crop_and_resize' })).toThrow(
      /tf_crop_and_resize/,
    );
    expect(() => row([1], 2, { mode: 'area', coordinates: 'asymmetric' })).toThrow(/area/);
  });
});
