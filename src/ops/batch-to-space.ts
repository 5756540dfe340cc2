/** BatchToSpace: the inverse of SpaceToBatch; `before` and `after` are cut from the result. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount } from '../graph/graph.ts';
import { movedType } from './move.ts';
import type { OperatorDef } from './operator.ts';
import { copyKernel, pixelStrides, ramp } from './pixel-map.ts';
import { type BlockAttributes, checkBlocks } from './space-to-batch.ts';

export const batchToSpace: OperatorDef<BlockAttributes> = {
  kind: 'BatchToSpace',
  access: 'whole',
  infer([x], attrs, given) {
    checkBlocks(x!, attrs);
    const { block, before, after } = attrs;
    const shape = x!.shape.map((d, axis) => {
      if (axis === 0) return d / elementCount(block);
      const k = axis - 1;
      return k < block.length ? d * block[k] - before[k] - after[k] : d;
    });
    if (!shape.every((d) => Number.isInteger(d) && d >= 0)) {
      throw new TidemarkError(
        'shape-mismatch',
        `${x!.name} [${x!.shape}] cannot be put together by blocks [${block}], cut by [${before}] and [${after}]`,
      );
    }
    return [{ shape, ...movedType(x!, given) }];
  },
  macs: () => 0,
  kernel({ op, inputs, outputs }) {
    const { block, before } = op.attrs;
    const from = inputs[0]!.shape;
    const to = outputs[0].shape;
    const [fromStrides, toStrides] = [pixelStrides(from), pixelStrides(to)];
    const source = (p: number) => {
      let sum = 0;
      let within = 0;
      for (let axis = 1; axis < toStrides.length; axis++) {
        const k = axis - 1;
        let at = Math.floor(p / toStrides[axis]) % to[axis];
        if (k < block.length) {
          const whole = at + before[k];
          within = within * block[k] + (whole % block[k]);
          at = Math.floor(whole / block[k]);
        }
        sum += at * fromStrides[axis];
      }
      const picture = Math.floor(p / toStrides[0]);
      return sum + (within * to[0] + picture) * fromStrides[0];
    };
    return copyKernel({ source }, ramp(channelsOf(to), 1));
  },
};
