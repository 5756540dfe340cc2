/** Memory over time as SVG: what the model needs layer by layer, and what the plan needs, on one pair of axes. */
import { formatSize } from './format.ts';
import { type Box, byteAxis, escapeText, limitLine, num, svgDocument } from './svg.ts';

export interface CurveSeries {
  readonly name: string;
  /** Bytes in equal steps of time. */
  readonly bytes: readonly number[];
  /** What happens in each step. */
  readonly labels?: readonly string[];
}

export interface MemoryCurve {
  readonly title: string;
  readonly before?: CurveSeries;
  readonly after?: CurveSeries;
  readonly budgetBytes?: number;
}

const WIDTH = 960;
const HEIGHT = 320;
const BOX: Box = { left: 72, top: 34, width: WIDTH - 72 - 16, height: HEIGHT - 34 - 40 };

export function memoryCurve(curve: MemoryCurve): string {
  const series = [curve.before, curve.after].filter((s) => s !== undefined);
  const peak = Math.max(1, ...series.map((s) => Math.max(...s.bytes)), curve.budgetBytes ?? 0);
  const max = peak * 1.06;
  const parts = [byteAxis(BOX, max)];
  if (curve.before) parts.push(area(curve.before, max, 'var(--before)', 0.35));
  if (curve.after) parts.push(area(curve.after, max, 'var(--after)', 0.55));
  if (curve.before) parts.push(peakMark(curve.before, max, 'var(--soft)'));
  if (curve.after) parts.push(peakMark(curve.after, max, 'var(--after)'));
  if (curve.budgetBytes) parts.push(limitLine(BOX, max, curve.budgetBytes, 'budget'));
  parts.push(legend(curve));
  parts.push(
    `<text class="soft" x="${BOX.left + BOX.width / 2}" y="${HEIGHT - 12}" text-anchor="middle">time: operators in the order they run, each as wide as the next</text>`,
  );
  return svgDocument(WIDTH, HEIGHT, curve.title, parts.join(''));
}

const x = (i: number, count: number) => BOX.left + (i / count) * BOX.width;
const y = (bytes: number, max: number) => BOX.top + BOX.height - (bytes / max) * BOX.height;

/** A stepped area; equal neighbours are one step. */
function area({ bytes }: CurveSeries, max: number, colour: string, opacity: number): string {
  const base = num(BOX.top + BOX.height);
  let path = `M${num(BOX.left)} ${base}`;
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0 && bytes[i] === bytes[i - 1]) continue;
    if (i > 0) path += `H${num(x(i, bytes.length))}`;
    path += `V${num(y(bytes[i], max))}`;
  }
  path += `H${num(BOX.left + BOX.width)}V${base}Z`;
  return `<path d="${path}" fill="${colour}" fill-opacity="${opacity}" stroke="${colour}" stroke-width="1.25"/>`;
}

function peakMark(series: CurveSeries, max: number, colour: string): string {
  const peak = Math.max(...series.bytes);
  const first = series.bytes.indexOf(peak);
  let last = first;
  while (series.bytes[last + 1] === peak) last++;
  const cx = x((first + last + 1) / 2, series.bytes.length);
  const cy = y(peak, max);
  const label = series.labels?.[first];
  const anchor = cx < BOX.left + 140 ? 'start' : cx > BOX.left + BOX.width - 140 ? 'end' : 'middle';
  return (
    `<circle cx="${num(cx)}" cy="${num(cy)}" r="3.5" fill="${colour}"><title>${escapeText(`${series.name}: ${formatSize(peak)}${label ? ` at ${label}` : ''}`)}</title></circle>` +
    `<text x="${num(cx)}" y="${num(cy)}" dy="-.6em" text-anchor="${anchor}" class="num" style="fill:${colour};font-weight:600">${formatSize(peak)}</text>`
  );
}

function legend(curve: MemoryCurve): string {
  const entries = [
    curve.before && { name: curve.before.name, colour: 'var(--before)' },
    curve.after && { name: curve.after.name, colour: 'var(--after)' },
  ].filter((e) => e !== undefined);
  let at = BOX.left;
  return entries
    .map(({ name, colour }) => {
      const entry = `<rect x="${at}" y="8" width="11" height="11" rx="2" fill="${colour}"/><text x="${at + 16}" y="17">${escapeText(name)}</text>`;
      at += 16 + name.length * 6.2 + 26;
      return entry;
    })
    .join('');
}
