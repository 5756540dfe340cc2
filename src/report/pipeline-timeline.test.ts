import { expect, test } from 'vitest';
import { formatSeconds, pipelineTimeline } from './pipeline-timeline.ts';

test('a row for each chip, a bar for each mini-batch, what waits thinner', () => {
  const svg = pipelineTimeline({
    title: 'two <chips>',
    rows: [
      { name: 'conv1 to pool2', busy: 1 },
      { name: 'conv3', busy: 0.5 },
    ],
    bars: [
      { row: 0, batch: 0, start: 0, end: 2e-3, left: 2e-3 },
      { row: 0, batch: 1, start: 2e-3, end: 4e-3, left: 5e-3 },
      { row: 1, batch: 0, start: 2e-3, end: 3e-3, left: 3e-3 },
    ],
  });
  expect(svg.match(/class="life"/g)).toHaveLength(3);
  expect(svg).toContain('waiting for room');
  expect(svg).toContain('50 %');
  expect(svg).not.toContain('<chips>');
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('what lies behind the end is left out', () => {
  const bars = [
    { row: 0, batch: 0, start: 0, end: 1, left: 1 },
    { row: 0, batch: 1, start: 5, end: 6, left: 6 },
  ];
  const svg = pipelineTimeline({ title: 't', rows: [{ name: 'a', busy: 1 }], bars, untilSeconds: 2 });
  expect(svg.match(/class="life"/g)).toHaveLength(1);
});

test('times for people', () => {
  expect([0, 3.2e-7, 1.5e-3, 0.25, 12].map(formatSeconds)).toEqual([
    '0',
    '0.32 us',
    '1.5 ms',
    '250 ms',
    '12 s',
  ]);
});
