/** Checks that a view's addresses tell the same as the kernel. For tests. */
import { expect } from 'vitest';
import { type Attributes, channelsOf, pixelsOf, type Tensor } from '../../graph/graph.ts';
import type { OperatorDef } from '../operator.ts';
import { contextFor, type OperatorCase, runWhole } from './check-operator.ts';

/** Follows every alias from child to parent and compares. Returns the number of aliases. */
export function checkAliases<A extends Attributes>(def: OperatorDef<A>, given: OperatorCase): number {
  const ctx = contextFor(def, given);
  const tensors = [...ctx.inputs, ...ctx.outputs] as Tensor[];
  const values = [...given.inputs.map((i) => i!.values), ...runWhole(def, given)];
  const aliases = def.aliases?.(ctx) ?? [];
  for (const { child, parent, offset, pixelStride, rows } of aliases) {
    const { shape } = tensors[child];
    const channels = channelsOf(shape);
    for (let p = 0; p < pixelsOf(shape); p++) {
      for (let c = 0; c < channels; c++) {
        const row = rows ? Math.floor(p / rows.pixels) : 0;
        const at = rows ? row * rows.stride + (p - row * rows.pixels) * pixelStride : p * pixelStride;
        const found = values[parent][offset + at + c];
        expect(found, `${def.kind} alias ${child} in ${parent}, pixel ${p}`).toBe(
          values[child][p * channels + c],
        );
      }
    }
  }
  return aliases.length;
}
