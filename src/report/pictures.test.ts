import { describe, expect, it } from 'vitest';
import { addressMap } from './address-map.ts';
import { formatCount, formatPercent, formatSize } from './format.ts';
import { htmlReport, type ReportData } from './html.ts';
import { memoryCurve } from './memory-curve.ts';
import { byteTicks } from './svg.ts';
import type { Timeline } from './timeline.ts';

/** A tensor written and freed in steps, a ring beside it, and a name that wants to be markup. */
const timeline: Timeline = {
  columns: 4,
  arenaBytes: 1536,
  liveBytes: [1024, 1280, 768, 256],
  names: ['a', 'b', 'b', 'c'],
  peakBytes: 1280,
  peakAt: 'b',
  firings: 9,
  lives: [
    {
      name: 'input',
      offset: 0,
      bytes: 1024,
      kind: 'tensor',
      tensorBytes: 1024,
      shape: [1, 16, 16, 4],
      first: 0,
      last: 2,
      lo: [0, 0, 512],
      hi: [1024, 1024, 1024],
    },
    {
      name: '<b>&"x"',
      offset: 1024,
      bytes: 256,
      kind: 'ring',
      tensorBytes: 4096,
      shape: [1, 8, 8, 64],
      first: 1,
      last: 3,
      lo: [1024, 1024, 1024],
      hi: [1280, 1280, 1280],
    },
    { name: 'scratch', offset: 1280, bytes: 256, kind: 'scratch', first: 1, last: 1, lo: [1280], hi: [1536] },
  ],
};

const report: ReportData = {
  model: 'zoo:<tiny>',
  version: '1.2.3',
  budgetBytes: 2048,
  fits: true,
  arenaBytes: 1536,
  scratchBytes: 256,
  lowerBoundBytes: 1280,
  optimal: false,
  checked: true,
  macs: 1_000_000,
  macOverhead: 0.05,
  weightBytes: 100,
  policy: { input: 'reuse', output: 'whole' },
  accounting: 'all',
  before: {
    peakBytes: 4096,
    steps: [
      { name: 'a', op: 'Conv', liveBytes: 4096 },
      { name: 'b', op: 'Add', liveBytes: 1024 },
    ],
  },
  spans: [{ first: 'a', last: 'b', mode: 'rows', arenaBytes: 1280 }],
  timeline,
};

/** Every element opened is closed, in order. */
function balanced(markup: string): boolean {
  const open: string[] = [];
  for (const [, close, name, rest] of markup.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (close) {
      if (open.pop() !== name) return false;
    } else if (!rest.endsWith('/') && !['meta', 'link', 'br'].includes(name)) open.push(name);
  }
  return open.length === 0;
}

describe('pictures', () => {
  it('draws memory over time', async () => {
    const svg = memoryCurve({
      title: 'Memory',
      before: { name: 'before', bytes: [512, 2048, 1024], labels: ['a', 'b', 'c'] },
      after: { name: 'after', bytes: timeline.liveBytes },
      budgetBytes: 1536,
    });
    expect(balanced(svg)).toBe(true);
    await expect(svg).toMatchFileSnapshot('snapshots/memory-curve.svg');
  });

  it('draws where every byte lives', async () => {
    const svg = addressMap(timeline, { title: 'Addresses', budgetBytes: 1600 });
    expect(balanced(svg)).toBe(true);
    expect(svg.split('class="life"')).toHaveLength(4);
    await expect(svg).toMatchFileSnapshot('snapshots/address-map.svg');
  });
});

describe('report', () => {
  const html = htmlReport(report);

  it('is one page that needs nothing else', () => {
    const body = html.replace(/<style>.*?<\/style>/gs, '').replace(/<script>.*?<\/script>/gs, '');
    expect(balanced(body)).toBe(true);
    expect(html).not.toMatch(/\b(src|href)=|@import|url\(/);
  });

  it('takes names for text and never for markup', () => {
    expect(html).not.toContain('<b>');
    expect(html).not.toContain('<tiny>');
    expect(html).toContain('&#60;b&#62;&#38;&#34;x&#34;');
  });

  it('says the same for the same data', () => {
    expect(htmlReport(report)).toBe(html);
  });

  it('says what was asked and what came of it', () => {
    expect(html).toContain('1.5 KiB of arena for a budget of 2 KiB; 63 % less than layer by layer.');
    expect(htmlReport({ ...report, budgetBytes: 1024, fits: false })).toContain('It does not fit.');
    expect(htmlReport({ ...report, budgetBytes: undefined })).toContain('the smallest found');
  });
});

describe('numbers for people', () => {
  it('have three digits and a unit', () => {
    expect([0, 1023, 1024, 65536, 64560, 1572864, 102400].map(formatSize)).toEqual([
      '0 B',
      '1023 B',
      '1 KiB',
      '64 KiB',
      '63 KiB',
      '1.5 MiB',
      '100 KiB',
    ]);
    expect([950, 7_489_664, 1_310_000_000].map(formatCount)).toEqual(['950', '7.49 M', '1.31 G']);
    expect([0, 0.086, 0.62, -0.5].map(formatPercent)).toEqual(['0 %', '8.6 %', '62 %', '-50 %']);
  });

  it('ticks are powers of two apart', () => {
    expect(byteTicks(1000)).toEqual([0, 128, 256, 384, 512, 640, 768, 896]);
    expect(byteTicks(0)).toEqual([0]);
  });
});
