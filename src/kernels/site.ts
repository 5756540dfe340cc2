/** Where a kernel finds a tensor: the byte address of each of its pixels, and how long they stay side by side. */
import { channelsOf, type ElementType, elementBytes, pixelsOf } from '../graph/graph.ts';
import { convert, type Index, known, load, minus, modulo, over, place, plus, times } from './builder.ts';
import type { Cell, Expr, Place, Region } from './ir.ts';

export interface Site {
  readonly region: Region;
  readonly cell: Cell;
  readonly cellBytes: number;
  readonly channels: number;
  readonly pixels: number;
  /** Byte of the region where the buffer begins. */
  readonly base: number;
  /** Bytes from there to pixel 0, were everything in one piece. */
  readonly offset: number;
  /** Bytes from pixel to pixel. */
  readonly stride: number;
  /** Where rows of so many pixels lie further apart than their pixels reach: bytes from row to row. */
  readonly rows?: { readonly pixels: number; readonly stride: number };
  /** Bytes after which a ring begins anew. */
  readonly ring?: number;
  /** Where stretches of so many bytes have an address each: bytes from the base, also as a constant of i32. */
  readonly pieces?: { readonly bytes: number; readonly starts: Int32Array; readonly table: Region };
  /** Pixel that lies at the base; left out: pixel 0. */
  readonly first?: Expr;
}

/** The cell that elements of a type lie in. */
export function cellOf(type: ElementType): Cell {
  return type.dtype === 'bool' ? 'u8' : type.dtype;
}

/** A tensor whose pixels lie side by side from a byte of a region on. */
export function wholeSite(
  type: ElementType & { readonly shape: readonly number[] },
  region: Region,
  base = 0,
): Site {
  const channels = channelsOf(type.shape);
  const cellBytes = elementBytes(type);
  return {
    region,
    cell: cellOf(type),
    cellBytes,
    channels,
    pixels: pixelsOf(type.shape),
    base,
    offset: 0,
    stride: channels * cellBytes,
  };
}

/** Byte address of a pixel. */
export function addressOf(site: Site, pixel: Index): Expr {
  const { rows, ring, pieces, base, stride } = site;
  const at = known(pixel);
  if (at !== undefined && site.first === undefined) return plus(byteOf(site, at), 0);
  const p = site.first ? minus(pixel, site.first) : pixel;
  const across = rows
    ? plus(times(over(p, rows.pixels), rows.stride), times(modulo(p, rows.pixels), stride))
    : times(p, stride);
  const byte = plus(across, site.offset);
  if (ring !== undefined) return plus(modulo(byte, ring), base);
  if (pieces === undefined) return plus(byte, base);
  const entry = times(over(byte, pieces.bytes), 4);
  const start = convert('index', load('i32', 'i32', place(pieces.table, entry)));
  return plus(plus(start, modulo(byte, pieces.bytes)), base);
}

/**
 * In how many stretches at most `count` neighbouring pixels lie, and how many pixels from one on lie side by side.
 * Undefined where pixels are never neighbours.
 */
export function stretchesOf(
  site: Site,
  count: number,
): { readonly most: number; left(pixel: Index): Expr } | undefined {
  const { ring, pieces, stride, offset, rows, first } = site;
  const length = ring ?? pieces?.bytes;
  if (length === undefined || rows || first || !isDense(site)) return undefined;
  if (length % stride !== 0 || offset % stride !== 0) return undefined;
  const most = Math.ceil((count - 1) / (length / stride)) + 1;
  if (most >= count) return undefined;
  return {
    most,
    left: (pixel) => minus(length / stride, modulo(plus(pixel, offset / stride), length / stride)),
  };
}

/** The same of a pixel that is known. */
export function byteOf({ rows, ring, pieces, base, offset, stride }: Site, pixel: number): number {
  const row = rows ? Math.floor(pixel / rows.pixels) : 0;
  const byte = offset + (rows ? row * rows.stride + (pixel - row * rows.pixels) * stride : pixel * stride);
  if (ring !== undefined) return base + (byte % ring);
  if (pieces === undefined) return base + byte;
  return base + pieces.starts[Math.floor(byte / pieces.bytes)] + (byte % pieces.bytes);
}

/** Element `channel` of the pixel at `address`. */
export function elementAt(site: Site, address: Index, channel: Index = 0): Place {
  return place(site.region, plus(address, times(channel, site.cellBytes)));
}

/** True where a pixel's end is the next one's beginning, but for the ends of rows, rings and pieces. */
export function isDense(site: Site): boolean {
  return site.stride === site.channels * site.cellBytes || site.pixels === 1;
}

/** True where all pixels lie side by side. */
export function isContiguous(site: Site): boolean {
  return isDense(site) && runsUnbroken(site, site.pixels);
}

/** True where each run of `length` pixels (the last one may be shorter) lies at one stride. */
export function runsUnbroken(site: Site, length: number): boolean {
  if ((!site.rows && site.ring === undefined && !site.pieces) || length <= 1) return true;
  const known = unbroken.get(site)?.get(length);
  if (known !== undefined) return known;
  let whole = true;
  let before = 0;
  for (let p = 0; p < site.pixels && whole; p++) {
    const at = byteOf(site, p);
    whole = p % length === 0 || at === before + site.stride;
    before = at;
  }
  const all = unbroken.get(site) ?? new Map<number, boolean>();
  unbroken.set(site, all.set(length, whole));
  return whole;
}

const unbroken = new WeakMap<Site, Map<number, boolean>>();
