/** The few pieces of SVG that all pictures share: elements, scales, axes of bytes, colours. */

import { formatSize } from './format.ts';

/** Escapes text for SVG and HTML, in content and in attributes. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A number with at most two decimals. */
export function num(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Round values in steps of powers of two (of bytes) up to `max`, four to eight of them. */
export function byteTicks(max: number): readonly number[] {
  if (max <= 0) return [0];
  let step = 2 ** Math.max(0, Math.floor(Math.log2(max / 4)));
  if (max / step > 8) step *= 2;
  const ticks: number[] = [];
  for (let v = 0; v <= max; v += step) ticks.push(v);
  return ticks;
}

/** A colour of its own for each of many things: hues a golden angle apart, three lightnesses. */
export function colourOf(index: number): string {
  const hue = Math.round((index * 137.508 + 205) % 360);
  return `hsl(${hue} ${[46, 40, 50][index % 3]}% ${[52, 62, 44][index % 3]}%)`;
}

/** Text cut to about `width` pixels of 11 px type; empty where fewer than four letters fit. */
export function fitText(text: string, width: number): string {
  const letters = Math.floor(width / 7);
  if (text.length <= letters) return text;
  return letters < 5 ? '' : `${text.slice(0, letters - 1)}…`;
}

/** Colours of a picture that stands alone; a page that sets the same properties overrides them. */
export const PICTURE_STYLE = `
svg.tm{--ink:#1d2733;--soft:#5d6b7a;--line:#d5dce4;--paper:#fff;--before:#9aa9b8;--after:#1477c9;--limit:#c2410c;font:11px system-ui,sans-serif;color:var(--ink)}
@media (prefers-color-scheme:dark){svg.tm{--ink:#e6ebf0;--soft:#9aa8b6;--line:#33404d;--paper:#10161d;--before:#5f7183;--after:#4aa3ee;--limit:#f59e5b}}
svg.tm text{fill:var(--ink)}svg.tm .soft{fill:var(--soft)}svg.tm .grid{stroke:var(--line);stroke-width:1}svg.tm .num{font-variant-numeric:tabular-nums}
svg.tm .life{stroke:var(--paper);stroke-width:.75;fill-opacity:.82}svg.tm .life:hover,svg.tm .life:focus{fill-opacity:1;stroke:var(--ink);stroke-width:2;outline:none}
`.trim();

/** The outer element, with its title for screen readers. */
export function svgDocument(width: number, height: number, title: string, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="tm" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}">` +
    `<title>${escapeText(title)}</title><style>${PICTURE_STYLE}</style>${body}</svg>`
  );
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Grid lines and labels of a byte axis on the left. */
export function byteAxis(box: Box, max: number): string {
  return byteTicks(max)
    .map((v) => {
      const y = num(box.top + box.height - (v / max) * box.height);
      return (
        `<line class="grid" x1="${box.left}" x2="${box.left + box.width}" y1="${y}" y2="${y}"/>` +
        `<text class="soft num" x="${box.left - 8}" y="${y}" dy=".32em" text-anchor="end">${formatSize(v)}</text>`
      );
    })
    .join('');
}

/** A dashed line at a byte value with its name at the right end. */
export function limitLine(box: Box, max: number, bytes: number, name: string): string {
  if (bytes > max) return '';
  const y = num(box.top + box.height - (bytes / max) * box.height);
  return (
    `<line x1="${box.left}" x2="${box.left + box.width}" y1="${y}" y2="${y}" stroke="var(--limit)" stroke-dasharray="6 4" stroke-width="1.5"/>` +
    `<text x="${box.left + box.width}" y="${y}" dy="-.45em" text-anchor="end" style="fill:var(--limit)">${escapeText(name)} ${formatSize(bytes)}</text>`
  );
}
