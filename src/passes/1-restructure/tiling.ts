/**
 * What is cut, and where: all that is needed to cut the same graph the same way again. Plain JSON, so that a plan can
 * carry it.
 */
import { z } from 'zod';

const index = z.int().min(0);

/** A cut along one direction of the region's output: `[0, ..., H]`, ascending. `[0, H]` is no cut. */
const cuts = z.array(index).min(2);

export const tiledRegionSchema = z.object({
  operators: z.array(index).min(1).describe('operators of the graph, in the order in which they run'),
  rows: cuts.describe("where the rows of the region's output are cut: 0, ..., height"),
  columns: cuts.describe("where the columns of the region's output are cut: 0, ..., width"),
  channels: cuts
    .optional()
    .describe(
      'where channels are cut: the middle ones of an inverted bottleneck, or the output channels of what ends as wide as it begins; rows and columns are then whole',
    ),
  apart: z
    .boolean()
    .optional()
    .describe(
      'the bands of rows stay tensors of their own, which later regions read; left out: they are joined',
    ),
});

export const tilingSchema = z.object({
  order: z.array(index).optional().describe('the order of all operators; left out: the order of the graph'),
  copied: z
    .array(index)
    .optional()
    .describe('joins outside the regions whose parts are copied into them, so that the room is taken late'),
  turned: z
    .array(index)
    .optional()
    .describe(
      'convolutions before which pixels are computed once for each row of the window instead of being kept, in tiles too',
    ),
  regions: z.array(tiledRegionSchema).describe('in the order in which they run; no operator is in two'),
});

export type TiledRegion = Readonly<z.infer<typeof tiledRegionSchema>>;
export type Tiling = Readonly<z.infer<typeof tilingSchema>>;

/** Rows and columns of tiles. */
export const gridOf = (region: TiledRegion): readonly [number, number] => [
  region.rows.length - 1,
  region.columns.length - 1,
];

/** The cuts of `size` into `count` parts that differ by one at most, the larger ones last. */
export function evenCuts(size: number, count: number): number[] {
  return Array.from({ length: count + 1 }, (_, i) => Math.floor((i * size) / count));
}
