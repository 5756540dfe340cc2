/**
 * Which input pixel each output pixel is a copy of, for operators that only move data. The source of an output
 * pixel is a sum over its coordinates: `tables[axis][coordinate]`, or FILL where nothing is read. From the
 * tables follow the intervals a run reads, and whether the output is a strided view.
 */
import { elementCount } from '../graph/graph.ts';
import type { Kernel, PixelRange, RowStep } from './operator.ts';

/** Stands in a table where no source exists. */
export const FILL = -1;

export interface PixelMap {
  /** Source pixel of output pixel p, or FILL. */
  source(p: number): number;
  /** Least interval that covers the sources of [lo, hi) and is monotone in both ends. */
  hull(lo: number, hi: number): PixelRange;
  /**
   * Source of pixel p as `offset + p * stride` where one exists with stride > 0; or row by row, as
   * `offset + floor(p / rows.pixels) * rows.stride + (p % rows.pixels) * stride`.
   */
  affine(): AffineMap | undefined;
}

export interface AffineMap {
  readonly offset: number;
  readonly stride: number;
  readonly rows?: RowStep;
}

/** Pixels of the input between neighbours along each axis but the last. */
export function pixelStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/** `count` entries start, start + step, ... */
export function ramp(count: number, step: number, start = 0): number[] {
  return Array.from({ length: count }, (_, i) => start + i * step);
}

/** `tables` has one entry for each axis of the output but the last; `pixels` is the input's number of pixels. */
export function pixelMap(tables: readonly (readonly number[])[], pixels: number): PixelMap {
  const rank = tables.length;
  const dims = tables.map((t) => t.length);
  const total = elementCount(dims);
  // Least source from a coordinate on, greatest source up to it; a fill never wins.
  const least = tables.map((t) => suffix(t));
  const greatest = tables.map((t) => prefix(t));
  const leastRest: number[] = new Array(rank + 1).fill(0);
  const greatestRest: number[] = new Array(rank + 1).fill(0);
  for (let k = rank - 1; k >= 0; k--) {
    leastRest[k] = least[k][0] + leastRest[k + 1];
    greatestRest[k] = greatest[k][dims[k]] + greatestRest[k + 1];
  }
  const inner: number[] = new Array(rank).fill(1);
  for (let k = rank - 2; k >= 0; k--) inner[k] = inner[k + 1] * dims[k + 1];
  const coordinate = (p: number, k: number) => Math.floor(p / inner[k]) % dims[k];

  /** Least source of any pixel from p on. */
  const lowest = (p: number) => {
    let head = 0;
    let best = Infinity;
    for (let k = 0; k < rank; k++) {
      const c = coordinate(p, k);
      best = Math.min(best, head + least[k][c + 1] + leastRest[k + 1]);
      head += tables[k][c] < 0 ? Infinity : tables[k][c];
    }
    return Math.min(best, head);
  };
  /** Greatest source of any pixel up to p. */
  const highest = (p: number) => {
    let head = 0;
    let best = -Infinity;
    for (let k = 0; k < rank; k++) {
      const c = coordinate(p, k);
      best = Math.max(best, head + greatest[k][c] + greatestRest[k + 1]);
      head += tables[k][c] < 0 ? -Infinity : tables[k][c];
    }
    return Math.max(best, head);
  };

  return {
    source(p) {
      let sum = 0;
      for (let k = 0; k < rank; k++) {
        const part = tables[k][coordinate(p, k)];
        if (part < 0) return FILL;
        sum += part;
      }
      return sum;
    },
    hull(lo, hi) {
      const from = lo >= total ? pixels : Math.min(lowest(lo), pixels);
      const to = hi <= 0 ? 0 : Math.max(highest(Math.min(hi, total) - 1) + 1, 0);
      return { lo: from, hi: to };
    },
    affine() {
      if (total === 0) return undefined;
      let offset = 0;
      for (const t of tables) {
        if (t[0] < 0) return undefined;
        offset += t[0];
      }
      let stride: number | undefined;
      let rows: RowStep | undefined;
      for (let k = rank - 1; k >= 0; k--) {
        if (dims[k] === 1) continue;
        const step = tables[k][1] - tables[k][0];
        for (let i = 1; i < dims[k]; i++)
          if (tables[k][i] < 0 || tables[k][i] - tables[k][i - 1] !== step) return undefined;
        stride ??= step;
        if (rows) {
          if (step * rows.pixels !== rows.stride * inner[k]) return undefined;
        } else if (step !== stride * inner[k]) rows = { pixels: inner[k], stride: step };
      }
      stride ??= 1;
      if (stride <= 0 || (rows && rows.stride < rows.pixels * stride)) return undefined;
      return { offset, stride, ...(rows ? { rows } : {}) };
    },
  };
}

/** The pixels that hold elements [lo, hi) of a tensor: for maps whose tables count elements. */
export function elementsToPixels({ lo, hi }: PixelRange, channels: number): PixelRange {
  return { lo: Math.floor(lo / channels), hi: Math.ceil(hi / channels) };
}

/** Entry i: the least of table[i..]; one more entry, Infinity. */
function suffix(table: readonly number[]): number[] {
  const out: number[] = new Array(table.length + 1).fill(Infinity);
  for (let i = table.length - 1; i >= 0; i--)
    out[i] = table[i] < 0 ? out[i + 1] : Math.min(out[i + 1], table[i]);
  return out;
}

/** Entry i: the greatest of table[0..i); entry 0 is -Infinity. */
function prefix(table: readonly number[]): number[] {
  const out: number[] = new Array(table.length + 1).fill(-Infinity);
  for (let i = 0; i < table.length; i++) out[i + 1] = table[i] < 0 ? out[i] : Math.max(out[i], table[i]);
  return out;
}

/**
 * Copies each output pixel from its source. `channels[c]` is the source of channel c, or FILL; `fill` is the
 * stored value where there is no source.
 */
export function copyKernel(map: Pick<PixelMap, 'source'>, channels: readonly number[], fill = 0): Kernel {
  const count = channels.length;
  return ([x], [y], lo, hi) => {
    const from = x!.data;
    const to = y.data;
    for (let p = lo; p < hi; p++) {
      const o = y.at(p);
      const source = map.source(p);
      const i = source < 0 ? 0 : x!.at(source);
      for (let c = 0; c < count; c++) {
        to[o + c] = source < 0 || channels[c] < 0 ? fill : from[i + channels[c]];
      }
    }
  };
}

/** True when `channels` are neighbours in the source. */
export function channelsAdjoin(channels: readonly number[]): boolean {
  return channels.every((c, i) => c >= 0 && c === channels[0] + i);
}
