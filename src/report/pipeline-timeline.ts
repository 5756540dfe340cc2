/** A simulated pipeline as SVG: a row for each chip, a bar for each mini-batch in it, time to the right. */
import { type Box, escapeText, fitText, num, svgDocument } from './svg.ts';

export interface TimelineBar {
  readonly row: number;
  readonly batch: number;
  readonly start: number;
  readonly end: number;
  /** Until then it waited for room further on. */
  readonly left: number;
}

export interface PipelineTimeline {
  readonly title: string;
  /** One a chip. */
  readonly rows: readonly { readonly name: string; readonly busy: number }[];
  readonly bars: readonly TimelineBar[];
  /** Draw up to this time. Left out: all. */
  readonly untilSeconds?: number;
}

const WIDTH = 1080;
const ROW = 22;
const LEFT = 210;
const RIGHT = 64;

export function pipelineTimeline({ title, rows, bars, untilSeconds }: PipelineTimeline): string {
  const height = 40 + rows.length * ROW + 40;
  const box: Box = { left: LEFT, top: 34, width: WIDTH - LEFT - RIGHT, height: rows.length * ROW };
  const end = untilSeconds ?? Math.max(1e-12, ...bars.map((b) => b.left));
  const x = (t: number) => box.left + (Math.min(t, end) / end) * box.width;
  const parts = [
    `<text x="${box.left}" y="20" style="font-weight:600">${escapeText(title)}</text>`,
    `<text class="soft" x="${WIDTH - 8}" y="20" text-anchor="end">busy</text>`,
  ];
  for (const tick of ticks(end)) {
    const at = num(x(tick));
    parts.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${box.top}" y2="${box.top + box.height}"/>`,
      `<text class="soft num" x="${at}" y="${box.top + box.height + 18}" text-anchor="middle">${formatSeconds(tick)}</text>`,
    );
  }
  rows.forEach(({ name, busy }, i) => {
    const y = box.top + i * ROW + ROW / 2;
    parts.push(
      `<text x="${box.left - 10}" y="${y}" dy=".32em" text-anchor="end">${escapeText(fitText(name, LEFT - 20))}</text>`,
      `<text class="soft num" x="${WIDTH - 8}" y="${y}" dy=".32em" text-anchor="end">${Math.round(busy * 100)} %</text>`,
    );
  });
  for (const b of bars) {
    if (b.start >= end) continue;
    const y = box.top + b.row * ROW + 2;
    const width = Math.max(0.75, x(b.end) - x(b.start));
    const label = `mini-batch ${b.batch}: ${formatSeconds(b.start)} to ${formatSeconds(b.end)}`;
    parts.push(
      `<rect class="life" x="${num(x(b.start))}" y="${y}" width="${num(width)}" height="${ROW - 4}" rx="2" fill="${hue(b.batch)}"><title>${escapeText(label)}</title></rect>`,
    );
    if (b.left > b.end)
      parts.push(
        `<rect x="${num(x(b.end))}" y="${y + ROW / 2 - 4}" width="${num(x(b.left) - x(b.end))}" height="4" fill="${hue(b.batch)}" fill-opacity=".35"><title>waiting for room</title></rect>`,
      );
    if (width > 16)
      parts.push(
        `<text class="num" x="${num(x(b.start) + width / 2)}" y="${y + ROW / 2 - 2}" dy=".32em" text-anchor="middle" style="fill:#fff;pointer-events:none">${b.batch}</text>`,
      );
  }
  return svgDocument(WIDTH, height, title, parts.join(''));
}

const hue = (batch: number) => `hsl(${Math.round((batch * 137.508 + 205) % 360)} 48% 46%)`;

/** Round times up to `end`, four to nine of them. */
function ticks(end: number): number[] {
  const power = 10 ** Math.floor(Math.log10(end));
  const step = [0.1, 0.2, 0.25, 0.5, 1].map((s) => s * power).find((s) => end / s <= 9) ?? power;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** `12.5 ms`, `830 us`. */
export function formatSeconds(seconds: number): string {
  if (seconds === 0) return '0';
  const [value, unit] =
    seconds >= 1 ? [seconds, 's'] : seconds >= 1e-3 ? [seconds * 1e3, 'ms'] : [seconds * 1e6, 'us'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}
