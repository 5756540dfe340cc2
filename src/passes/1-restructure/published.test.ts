/** The published figures of the method. */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { zooGraph } from '../../zoo/zoo.ts';
import { type RestructureOptions, restructureGraph } from './restructure.ts';
import { sequenceOf } from './sequence.ts';

const int8 = (name: string): Graph => normalise(zooGraph(name, { dtype: 'int8' }));

function figures(name: string, options: RestructureOptions) {
  const { peakBeforeBytes, peakBytes, macOverhead } = restructureGraph(int8(name), options);
  return { before: peakBeforeBytes, saving: 1 - peakBytes / peakBeforeBytes, macOverhead };
}

describe('peaks before anything is cut, image counted (Cipolletta & Calimera, their five networks)', () => {
  it.each([
    ['vgg16', 6_422_528],
    ['squeezenet1.1', 982_144],
    ['mobilenetv2-1.0-224', 1_505_280],
    ['resnet18', 1_003_520],
    ['inceptionv3', 2_074_464],
  ])('%s: %i bytes at int8', (name, bytes) => {
    expect(sequenceOf(int8(name)).peakBytes).toBe(bytes);
    expect(sequenceOf(int8(name), undefined, true).peakBytes).toBe(bytes);
  });
});

describe('one region within 10 % more multiply-accumulates', () => {
  const found: { saving: number; macOverhead: number }[] = [];

  it.each([
    ['vgg16', 0.75],
    ['squeezenet1.1', 0.7],
    ['mobilenetv2-1.0-224', 0.783],
    ['resnet18', 0.4],
    ['inceptionv3', 0.528],
  ])('%s saves at least %f', (name, least) => {
    const f = figures(name, { regions: 'one', maxOverhead: 0.1 });
    found.push(f);
    expect(Math.round(f.saving * 1000) / 1000).toBeGreaterThanOrEqual(least);
    expect(f.macOverhead).toBeLessThanOrEqual(0.1);
  });

  it('on average at least 63.2 % for at most 4.9 %', () => {
    const mean = (pick: (f: (typeof found)[number]) => number) => found.reduce((n, f) => n + pick(f), 0) / 5;
    expect(found).toHaveLength(5);
    expect(mean((f) => f.saving)).toBeGreaterThanOrEqual(0.632);
    expect(mean((f) => f.macOverhead)).toBeLessThanOrEqual(0.049);
  });
});

describe('many regions within 8.6 %', () => {
  // All five, run by ONNX Runtime: npm run bench:restructure.
  it.each([
    ['vgg16', 0.88],
    ['squeezenet1.1', 0.79],
    ['resnet18', 0.64],
    ['inceptionv3', 0.715],
  ])('%s saves at least %f', (name, least) => {
    const f = figures(name, {});
    expect(f.saving).toBeGreaterThanOrEqual(least);
    expect(f.macOverhead).toBeLessThanOrEqual(0.086);
  });
});
