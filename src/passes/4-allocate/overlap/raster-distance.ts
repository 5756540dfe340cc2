/**
 * How far an output must lie from the input it is computed from, in closed form, after Jokic, Emery and Benini
 * ("Improving Memory Utilization in Convolutional Neural Network Accelerators", IEEE Embedded Systems Letters 2021,
 * doi 10.1109/LES.2020.3009924), for any window: kernel, stride, dilation, four pads. docs/overlap.md derives it.
 */
import type { AxisNeeds } from '../../../ops/window.ts';

/** What a firing computes: a pixel or a row, written when its reads are over, or one element written at once. */
export type Granularity = 'pixel' | 'row' | 'element';

/** `forward`: the output lies below the input and both walk up. `backward`: it lies above, the last pixel comes first. */
export type Direction = 'forward' | 'backward';

/** A layer whose output pixel (y, x) needs rows of input given by y and columns given by x. */
export interface RasterLayer {
  readonly batch: number;
  readonly y: AxisNeeds;
  readonly x: AxisNeeds;
  /** Bytes from pixel to pixel. */
  readonly inPixelBytes: number;
  readonly outPixelBytes: number;
  /** By elements: bytes of an output pixel that wait until its reads are over. One element, left out. */
  readonly heldBack?: number;
}

/** How far the input's end must lie from the output's, and the firing that decides it. */
export interface Distance {
  /**
   * Between the ends where firing begins: forward the bases, input above output; backward the tops, input below
   * output. Below 0 where the input may even stick out there; -Infinity where nothing is asked.
   */
  readonly bytes: number;
  /** In the order of firing. */
  readonly firing: number;
}

/** Distance of a layer's input from its output. O(rows + columns). */
export function rasterDistance(layer: RasterLayer, granularity: Granularity, direction: Direction): Distance {
  const seen = direction === 'forward' ? forwardNeeds(layer) : backwardNeeds(layer);
  if (granularity === 'row') return largest(rowMoments(layer, seen));
  const staged = largest(pixelMoments(layer, seen));
  if (granularity === 'pixel') return staged;
  return largest(elementMoments(layer, seen, staged));
}

/** Memory that a layer needs at a distance, in either direction. */
export function layerMemory(distance: number, inBytes: number, outBytes: number): number {
  return Math.max(Math.max(0, distance) + inBytes, outBytes);
}

/**
 * A layer seen in the order of firing, so that both directions are one computation: row r of the firing order,
 * how much input is dead before it, all in pixels from where firing begins.
 */
interface Needs {
  readonly rows: number;
  readonly columns: number;
  /** Input pixels of an image, of a row. */
  readonly inImage: number;
  readonly inRow: number;
  /** Rows (columns) of input that firings from row r (column c) on do not touch; Infinity when they touch none. */
  rowsDead(r: number): number;
  columnsDead(c: number): number;
}

function forwardNeeds({ y, x }: RasterLayer): Needs {
  return {
    rows: y.output,
    columns: x.output,
    inImage: y.input * x.input,
    inRow: x.input,
    rowsDead: (r) => y.leastFrom(r),
    columnsDead: (c) => x.leastFrom(c),
  };
}

function backwardNeeds({ y, x }: RasterLayer): Needs {
  const dead = (axis: AxisNeeds, o: number) => {
    const greatest = axis.greatestUpTo(axis.output - 1 - o);
    return greatest < 0 ? Number.POSITIVE_INFINITY : axis.input - 1 - greatest;
  };
  return {
    rows: y.output,
    columns: x.output,
    inImage: y.input * x.input,
    inRow: x.input,
    rowsDead: (r) => dead(y, r),
    columnsDead: (c) => dead(x, c),
  };
}

/** Bytes written less bytes dead when a firing is over. */
interface Moment {
  readonly bytes: number;
  readonly firing: number;
}

function largest(moments: Iterable<Moment>): Distance {
  let most: Distance = { bytes: Number.NEGATIVE_INFINITY, firing: -1 };
  for (const m of moments) if (m.bytes > most.bytes) most = m;
  return most;
}

/**
 * After pixel (r, c) what comes next needs the rest of this row's columns, or everything of the rows to come.
 * Within a row only the part that the column decides changes, so its worst column is found once.
 */
function* pixelMoments(layer: RasterLayer, needs: Needs): Iterable<Moment> {
  const { inPixelBytes, outPixelBytes, batch } = layer;
  const { rows, columns, inRow, inImage } = needs;
  const left = needs.columnsDead(0);
  let worst = { bytes: Number.NEGATIVE_INFINITY, column: 0 };
  for (let c = 0; c + 1 < columns; c++) {
    const bytes = (c + 1) * outPixelBytes - needs.columnsDead(c + 1) * inPixelBytes;
    if (bytes > worst.bytes) worst = { bytes, column: c };
  }
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < rows; r++) {
      const before = (n * rows + r) * columns;
      const dead = n * inImage + needs.rowsDead(r) * inRow;
      yield {
        bytes: before * outPixelBytes - dead * inPixelBytes + worst.bytes,
        firing: before + worst.column,
      };
      const next = r + 1 < rows ? needs.rowsDead(r + 1) : Number.POSITIVE_INFINITY;
      const after = n * inImage + next * inRow + left;
      yield {
        bytes: (before + columns) * outPixelBytes - after * inPixelBytes,
        firing: before + columns - 1,
      };
    }
    if (n + 1 < batch) {
      const dead = (n + 1) * inImage + needs.rowsDead(0) * inRow + left;
      const done = (n + 1) * rows * columns;
      yield { bytes: done * outPixelBytes - dead * inPixelBytes, firing: done - 1 };
    }
  }
}

/** A row is staged, then written: as pixels, but only the ends of rows count. */
function* rowMoments(layer: RasterLayer, needs: Needs): Iterable<Moment> {
  const { inPixelBytes, outPixelBytes, batch } = layer;
  const { rows, columns, inRow, inImage } = needs;
  const left = needs.columnsDead(0);
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < rows; r++) {
      const row = n * rows + r;
      const last = r + 1 === rows;
      const next = last
        ? n + 1 < batch
          ? needs.rowsDead(0)
          : Number.POSITIVE_INFINITY
        : needs.rowsDead(r + 1);
      const dead = (last ? n + 1 : n) * inImage + next * inRow + left;
      yield { bytes: (row + 1) * columns * outPixelBytes - dead * inPixelBytes, firing: row };
    }
  }
}

/**
 * Every element is written at once, so all of a pixel but its last element goes over what the pixel itself still
 * reads: as if the pixel before had all but one element more. `staged` is the worst moment between pixels.
 */
function* elementMoments(layer: RasterLayer, needs: Needs, staged: Distance): Iterable<Moment> {
  const { inPixelBytes, outPixelBytes, heldBack = 1 } = layer;
  yield staged;
  const ahead = outPixelBytes - heldBack;
  if (ahead === 0) return;
  const first = needs.rowsDead(0) * needs.inRow + needs.columnsDead(0);
  yield { bytes: ahead - first * inPixelBytes, firing: 0 };
  yield { bytes: staged.bytes + ahead, firing: staged.firing + 1 };
}
