/** Convolutions of few channels: products that take a row of taps at once, and parts of one at a picture's sides. */

import { endTap, firstTap, type Window } from '../../ops/window.ts';
import { siteOf } from '../constants.ts';
import type { Task } from '../kernel.ts';
import { interior } from '../rows.ts';
import { isDense, runsUnbroken } from '../site.ts';
import { dotProducts, usesDots } from './dots.ts';
import { type ProductShape, type Products, productsOf } from './products.ts';

/** Weights of this many bytes and less may be there twice. */
const SMALL_BYTES = 32 * 1024;

/**
 * Where taps have an odd number of elements and weights are packed in pairs, neighbouring taps do not join. A row of taps as
 * one tap does: for the interior of pictures with few channels.
 */
export function rowProducts(
  task: Task,
  { x: across, y: down }: Window,
  products: Products,
  shape: ProductShape,
): Products | undefined {
  const site = siteOf(task, 0);
  const dense = isDense(site) && site.channels === shape.depth && across.dilation === 1;
  const bytes = usesDots(task) ? shape.groups * shape.perGroup * shape.depth * shape.taps : products.bytes;
  const useful = !products.joins && across.taps > 1 && bytes <= SMALL_BYTES;
  if (!dense || !useful || !runsUnbroken(site, across.input)) return undefined;
  return productsOf(task, { ...shape, depth: shape.depth * across.taps, taps: down.taps });
}

/** Columns whose windows are cut that have products of their own, at most, and bytes of all their weights. */
const MOST_EDGES = 2;
const MOST_EDGE_BYTES = 8 * 1024;

/** The columns of a picture's sides with products by the part of a row of taps that each meets, where these are few and small. */
export function edgeProducts(
  task: Task,
  { x: across, y: down }: Window,
  shape: ProductShape,
): { readonly x: number; readonly by: Products }[] | undefined {
  if (!usesDots(task)) return undefined;
  const inside = interior(across);
  const columns = Array.from({ length: across.output }, (_, x) => x).filter(
    (x) => x < inside.from || x >= inside.to,
  );
  const weights = shape.groups * shape.perGroup * shape.depth * shape.taps;
  if (columns.length > MOST_EDGES || columns.length * weights > MOST_EDGE_BYTES) return undefined;
  return columns.map((x) => {
    const [from, end] = [firstTap(across, x), endTap(across, x)];
    const count = (end - from) * shape.depth;
    const slice = { from: from * shape.depth, count, of: across.taps * shape.depth };
    return { x, by: dotProducts(task, { ...shape, depth: count, taps: down.taps }, slice) };
  });
}
