/** Where every byte lives and when, as SVG: time to the right, addresses upwards, one shape a buffer. */
import { formatSize } from './format.ts';
import { type Box, byteAxis, colourOf, escapeText, fitText, limitLine, num, svgDocument } from './svg.ts';
import type { BufferLife, Timeline } from './timeline.ts';

const WIDTH = 960;
const HEIGHT = 440;
const BOX: Box = { left: 72, top: 20, width: WIDTH - 72 - 16, height: HEIGHT - 20 - 40 };

export interface AddressMapOptions {
  readonly title: string;
  readonly budgetBytes?: number;
}

export function addressMap(timeline: Timeline, options: AddressMapOptions): string {
  const max = Math.max(1, timeline.arenaBytes) * 1.06;
  const shapes = timeline.lives.map((life, i) => shape(life, i, timeline.columns, max));
  const parts = [
    byteAxis(BOX, max),
    ...shapes,
    limitLine(BOX, max, timeline.arenaBytes, 'arena'),
    options.budgetBytes === undefined ? '' : limitLine(BOX, max, options.budgetBytes, 'budget'),
    `<text class="soft" x="${BOX.left + BOX.width / 2}" y="${HEIGHT - 12}" text-anchor="middle">time: operators in the order they run; a buffer grows as it is written and shrinks as it is read for the last time</text>`,
  ];
  return svgDocument(WIDTH, HEIGHT, options.title, parts.join(''));
}

/** A line for people about one buffer. */
export function describeLife(life: BufferLife): string {
  const size =
    life.kind === 'ring'
      ? `ring of ${formatSize(life.bytes)} for ${formatSize(life.tensorBytes ?? 0)}`
      : life.kind === 'pieces'
        ? `rows placed one by one among ${formatSize(life.bytes)}, for ${formatSize(life.tensorBytes ?? 0)}`
        : formatSize(life.bytes);
  const shape = life.shape ? `, ${life.shape.join(' × ')}` : ', working memory';
  return `${life.name}: ${size} at ${life.offset}${shape}`;
}

function shape(life: BufferLife, index: number, columns: number, max: number): string {
  const text = escapeText(describeLife(life));
  const colour = life.kind === 'scratch' ? 'var(--soft)' : colourOf(index);
  const outline = `<path class="life" tabindex="0" role="img" aria-label="${text}" d="${staircase(life, columns, max)}" fill="${colour}"><title>${text}</title></path>`;
  return outline + caption(life, columns, max);
}

const x = (column: number, columns: number) => BOX.left + (column / columns) * BOX.width;
const y = (bytes: number, max: number) => BOX.top + BOX.height - (bytes / max) * BOX.height;

/** Along the upper edge to the right and back along the lower one, in steps. */
function staircase({ first, lo, hi }: BufferLife, columns: number, max: number): string {
  let path = `M${num(x(first, columns))} ${num(y(hi[0], max))}`;
  for (let i = 1; i < hi.length; i++) {
    if (hi[i] !== hi[i - 1]) path += `H${num(x(first + i, columns))}V${num(y(hi[i], max))}`;
  }
  const last = lo.length - 1;
  path += `H${num(x(first + last + 1, columns))}V${num(y(lo[last], max))}`;
  for (let i = last; i > 0; i--) {
    if (lo[i] !== lo[i - 1]) path += `H${num(x(first + i, columns))}V${num(y(lo[i - 1], max))}`;
  }
  return `${path}H${num(x(first, columns))}Z`;
}

/** The name inside, where the shape is wide and tall enough in its middle. */
function caption({ name, first, lo, hi }: BufferLife, columns: number, max: number): string {
  const middle = Math.floor(lo.length / 2);
  const height = y(lo[middle], max) - y(hi[middle], max);
  const width = (lo.length / columns) * BOX.width;
  const text = height >= 15 ? fitText(name, width - 8) : '';
  if (text === '') return '';
  const cx = num(x(first + lo.length / 2, columns));
  const cy = num((y(lo[middle], max) + y(hi[middle], max)) / 2);
  return `<text x="${cx}" y="${cy}" dy=".35em" text-anchor="middle" style="fill:#fff;paint-order:stroke;stroke:#0006;stroke-width:2.5px;pointer-events:none">${escapeText(text)}</text>`;
}
