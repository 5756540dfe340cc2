/** What the inner loops of products with packed weights share, whatever a sum is. */
import { type Builder, type Index, plus, sub, times, type Variable } from '../builder.ts';
import type { Expr } from '../ir.ts';
import type { BlockShape, ProductShape, Products } from './products.ts';

/** The walk over all blocks, whose weights lie one behind the other, group by group. */
export function inBlocks(
  b: Builder,
  shape: ProductShape,
  shapes: readonly BlockShape[],
  blockBytes: (s: BlockShape) => number,
): Pick<Products, 'bytes' | 'overBlocks'> {
  const groupBytes = shapes.reduce((n, s) => n + s.count * blockBytes(s), 0);
  return {
    bytes: groupBytes * shape.groups,
    overBlocks(body) {
      b.for('group', 0, shape.groups, 1, (group) => {
        let before = 0;
        for (const s of shapes) {
          const base = before;
          b.for('block', 0, s.count, 1, (at) => {
            const channel = plus(plus(times(group, shape.perGroup), s.start), times(at, s.valid));
            const weights = plus(plus(times(group, groupBytes), base), times(at, blockBytes(s)));
            body({ ...s, group, first: b.let('first', channel), weights: b.let('weights', weights) });
          });
          before += s.count * blockBytes(s);
        }
      });
    },
  };
}

/** Takes off what the zero point has added in `taps` taps; a line's sum `v` begins at `channelOf(v)`. */
export function takeOff(
  b: Builder,
  lines: readonly (readonly Variable[])[],
  excess: (channel: Index, tap: Index) => Expr,
  channelOf: (v: number) => Index,
  tap: Index,
  taps: Index,
): void {
  lines[0].forEach((_, v) => {
    const channel = channelOf(v);
    const much = b.let('excess', sub(excess(channel, plus(tap, taps)), excess(channel, tap)));
    for (const line of lines) b.set(line[v], sub(line[v], much));
  });
}
