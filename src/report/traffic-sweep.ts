/** Off-chip traffic against chip capacity as SVG, both axes in steps of powers of two. */
import { formatSize } from './format.ts';
import { type Box, escapeText, num, svgDocument } from './svg.ts';

export interface TrafficSeries {
  readonly name: string;
  /** Bytes, one for each capacity. */
  readonly bytes: readonly number[];
}

export interface TrafficSweep {
  readonly title: string;
  readonly capacities: readonly number[];
  /** The first one is the subject; the others are what it is compared with. */
  readonly series: readonly TrafficSeries[];
  /** A capacity to point out. */
  readonly markBytes?: number;
}

const WIDTH = 960;
const HEIGHT = 380;
const BOX: Box = { left: 84, top: 40, width: WIDTH - 84 - 24, height: HEIGHT - 40 - 54 };
const COLOURS = ['var(--after)', 'var(--before)', 'var(--limit)', 'var(--soft)'];
const DASHES = ['', '6 4', '2 3', '8 3 2 3'];

export function trafficSweep(sweep: TrafficSweep): string {
  const { capacities, series } = sweep;
  const all = series.flatMap((s) => s.bytes).filter((b) => b > 0);
  const x = scale(Math.min(...capacities), Math.max(...capacities), BOX.left, BOX.left + BOX.width);
  const y = scale(Math.min(...all) * 0.9, Math.max(...all) * 1.1, BOX.top + BOX.height, BOX.top);
  const parts = [axes(x, y, capacities, all)];
  if (sweep.markBytes) {
    const at = num(x(sweep.markBytes));
    parts.push(
      `<line x1="${at}" x2="${at}" y1="${BOX.top}" y2="${BOX.top + BOX.height}" stroke="var(--soft)" stroke-dasharray="3 3"/>`,
    );
  }
  series.forEach((s, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const points = s.bytes.map((b, k) => `${num(x(capacities[k]))},${num(y(b))}`);
    parts.push(
      `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="${i === 0 ? 2.5 : 1.5}" stroke-dasharray="${DASHES[i % DASHES.length]}"/>`,
    );
    if (i > 0) return;
    s.bytes.forEach((b, k) => {
      const label = escapeText(`${formatSize(capacities[k])} on chip: ${formatSize(b)} an image`);
      parts.push(
        `<circle cx="${num(x(capacities[k]))}" cy="${num(y(b))}" r="3.5" fill="${colour}"><title>${label}</title></circle>`,
      );
    });
  });
  parts.push(legend(series));
  return svgDocument(WIDTH, HEIGHT, sweep.title, parts.join(''));
}

/** Logarithmic, from [least, most] to pixels. */
function scale(least: number, most: number, from: number, to: number): (bytes: number) => number {
  const width = Math.log2(most / least) || 1;
  return (bytes) => from + (Math.log2(Math.max(bytes, least) / least) / width) * (to - from);
}

function axes(
  x: (b: number) => number,
  y: (b: number) => number,
  capacities: readonly number[],
  all: readonly number[],
): string {
  const parts: string[] = [];
  for (const b of doublings(Math.min(...capacities), Math.max(...capacities), 9)) {
    const at = num(x(b));
    parts.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${BOX.top}" y2="${BOX.top + BOX.height}"/>` +
        `<text class="soft num" x="${at}" y="${BOX.top + BOX.height + 18}" text-anchor="middle">${formatSize(b)}</text>`,
    );
  }
  for (const b of doublings(Math.min(...all) * 0.9, Math.max(...all) * 1.1, 8)) {
    const at = num(y(b));
    parts.push(
      `<line class="grid" x1="${BOX.left}" x2="${BOX.left + BOX.width}" y1="${at}" y2="${at}"/>` +
        `<text class="soft num" x="${BOX.left - 8}" y="${at}" dy=".32em" text-anchor="end">${formatSize(b)}</text>`,
    );
  }
  parts.push(
    `<text class="soft" x="${BOX.left + BOX.width / 2}" y="${HEIGHT - 12}" text-anchor="middle">bytes on one chip</text>`,
  );
  return parts.join('');
}

/** Powers of two between two values, thinned to at most so many. */
function doublings(least: number, most: number, count: number): number[] {
  const first = Math.ceil(Math.log2(least));
  const last = Math.floor(Math.log2(most));
  const step = Math.max(1, Math.ceil((last - first + 1) / count));
  const ticks: number[] = [];
  for (let p = first; p <= last; p += step) ticks.push(2 ** p);
  return ticks;
}

function legend(series: readonly TrafficSeries[]): string {
  let at = BOX.left;
  return series
    .map(({ name }, i) => {
      const entry =
        `<line x1="${at}" x2="${at + 22}" y1="18" y2="18" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="${i === 0 ? 2.5 : 1.5}" stroke-dasharray="${DASHES[i % DASHES.length]}"/>` +
        `<text x="${at + 28}" y="22">${escapeText(name)}</text>`;
      at += 28 + name.length * 6.4 + 26;
      return entry;
    })
    .join('');
}
