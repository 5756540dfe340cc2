/**
 * SpaceToBatch: after padding, every block[k]-th position of the axes from 1 on becomes a picture of its own;
 * the batch counts positions within the block first, then the input's pictures. Padding is real 0.
 */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount, type Tensor } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import { movedType } from './move.ts';
import type { OperatorDef } from './operator.ts';
import { copyKernel, FILL, pixelStrides, ramp } from './pixel-map.ts';

export type BlockAttributes = {
  readonly block: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
};

/** Throws unless the blocks stand on axes between the batch and the channels. */
export function checkBlocks(x: Tensor, { block, before, after }: BlockAttributes): void {
  const fits =
    block.length === before.length && block.length === after.length && block.length <= x.shape.length - 2;
  if (!fits || block.some((b) => !(b > 0))) {
    throw new TidemarkError(
      'operator-invalid',
      `block [${block}], before [${before}], after [${after}] do not fit ${x.name} [${x.shape}]`,
    );
  }
}

export const spaceToBatch: OperatorDef<BlockAttributes> = {
  kind: 'SpaceToBatch',
  access: 'whole',
  infer([x], attrs, given) {
    checkBlocks(x!, attrs);
    const { block, before, after } = attrs;
    const shape = x!.shape.map((d, axis) => {
      if (axis === 0) return d * elementCount(block);
      const k = axis - 1;
      return k < block.length ? (d + before[k] + after[k]) / block[k] : d;
    });
    if (!shape.every(Number.isInteger)) {
      throw new TidemarkError(
        'shape-mismatch',
        `the padded axes of ${x!.name} [${x!.shape}] are no multiples of the block [${block}]`,
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
      const picture = Math.floor(p / toStrides[0]);
      let within = Math.floor(picture / from[0]);
      let sum = (picture % from[0]) * fromStrides[0];
      for (let axis = fromStrides.length - 1; axis > 0; axis--) {
        const k = axis - 1;
        let at = Math.floor(p / toStrides[axis]) % to[axis];
        if (k < block.length) {
          at = at * block[k] + (within % block[k]) - before[k];
          within = Math.floor(within / block[k]);
        }
        if (at < 0 || at >= from[axis]) return FILL;
        sum += at * fromStrides[axis];
      }
      return sum;
    };
    const zero = coreOutputType(op.epilogue, outputs[0]).quant?.zeroPoint[0] ?? 0;
    return copyKernel({ source }, ramp(channelsOf(to), 1), zero);
  },
};
