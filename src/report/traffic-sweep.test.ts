import { expect, test } from 'vitest';
import { trafficSweep } from './traffic-sweep.ts';

test('a line for each series, a point for each capacity of the first, and the names', () => {
  const svg = trafficSweep({
    title: 'a <net>',
    capacities: [1024, 2048, 4096],
    markBytes: 2048,
    series: [
      { name: 'partition', bytes: [9000, 5000, 1000] },
      { name: 'layer by layer', bytes: [20000, 20000, 20000] },
    ],
  });
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg.match(/<circle/g)).toHaveLength(3);
  expect(svg).toContain('layer by layer');
  expect(svg).not.toContain('<net>');
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('one capacity, and traffic that is always the same', () => {
  const svg = trafficSweep({ title: 't', capacities: [4096], series: [{ name: 'partition', bytes: [100] }] });
  expect(svg).not.toMatch(/NaN|Infinity/);
});
