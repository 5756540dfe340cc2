/** Where a kernel finds a tensor: the byte address of each of its pixels, and how long they stay side by side. */
import { channelsOf, type ElementType, elementBytes, pixelsOf } from '../graph/graph.ts';
import { type Index, modulo, place, plus, times } from './builder.ts';
import type { Cell, Expr, Place, Region } from './ir.ts';

export interface Site {
  readonly region: Region;
  readonly cell: Cell;
  readonly cellBytes: number;
  readonly channels: number;
  readonly pixels: number;
  /** Byte of the region where the buffer begins. */
  readonly base: number;
  /** Bytes from there to pixel 0. */
  readonly offset: number;
  /** Bytes from pixel to pixel. */
  readonly stride: number;
  /** Bytes after which a ring begins anew; undefined where everything has a place of its own. */
  readonly ring?: number;
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
  const at = plus(times(pixel, site.stride), site.offset);
  return site.ring === undefined ? plus(at, site.base) : plus(modulo(at, site.ring), site.base);
}

/** Element `channel` of the pixel at `address`. */
export function elementAt(site: Site, address: Index, channel: Index = 0): Place {
  return place(site.region, plus(address, times(channel, site.cellBytes)));
}

/** True where a pixel's end is the next one's beginning, rings apart. */
export function isDense(site: Site): boolean {
  return site.stride === site.channels * site.cellBytes || site.pixels === 1;
}

/** True where each run of `length` pixels (the last one may be shorter) lies at one stride, never cut by its ring's end. */
export function runsUnbroken(site: Site, length: number): boolean {
  const { ring } = site;
  if (ring === undefined) return true;
  const known = unbroken.get(site)?.get(length);
  if (known !== undefined) return known;
  let whole = true;
  for (let p = 0; p < site.pixels && whole; p += length) {
    const start = (site.offset + p * site.stride) % ring;
    const last = Math.min(length, site.pixels - p) - 1;
    whole = start + last * site.stride + site.channels * site.cellBytes <= ring;
  }
  const all = unbroken.get(site) ?? new Map<number, boolean>();
  unbroken.set(site, all.set(length, whole));
  return whole;
}

const unbroken = new WeakMap<Site, Map<number, boolean>>();
