/** DepthToSpace: each pixel's channels become a block of pixels. DCR: block, then channel; CRD: the reverse. */
import { TidemarkError } from '../errors.ts';
import { type Attributes, channelsOf } from '../graph/graph.ts';
import type { OperatorDef } from './operator.ts';
import { type AxisNeeds, pictureShape, rasterNeeds } from './window.ts';

export interface BlockAttributes extends Attributes {
  readonly block: number;
  readonly order: string;
}

/** Refuses a block that is no positive integer and an order that is not known. */
export function checkBlock({ block, order }: BlockAttributes): void {
  if (!Number.isInteger(block) || block < 1) {
    throw new TidemarkError('operator-invalid', `block is ${block}, expected a positive integer`);
  }
  if (order !== 'DCR' && order !== 'CRD') {
    throw new TidemarkError('operator-invalid', `order is ${order}, expected DCR or CRD`);
  }
}

function blockNeeds(input: number, block: number): AxisNeeds {
  const behind = (o: number) => Math.floor(o / block);
  return { input, output: input * block, leastFrom: behind, greatestUpTo: behind };
}

export const depthToSpace: OperatorDef<BlockAttributes> = {
  kind: 'DepthToSpace',
  access: 'pixel',
  infer([x], attrs, given) {
    checkBlock(attrs);
    const [n, h, w, c] = pictureShape(x, 'the input of DepthToSpace');
    const depth = c / attrs.block ** 2;
    if (!Number.isInteger(depth)) {
      throw new TidemarkError(
        'shape-mismatch',
        `${c} channels are no multiple of a block of ${attrs.block} squared`,
      );
    }
    const quant = given?.[0].quant ?? x!.quant;
    return [{ shape: [n, h * attrs.block, w * attrs.block, depth], dtype: x!.dtype, quant }];
  },
  reads({ op, inputs }, _index, lo, hi) {
    const [n, h, w] = inputs[0]!.shape;
    return rasterNeeds(n, blockNeeds(h, op.attrs.block), blockNeeds(w, op.attrs.block), lo, hi);
  },
  macs: () => 0,
  kernel({ op, inputs, outputs }) {
    const { block, order } = op.attrs;
    const [, , width] = inputs[0]!.shape;
    const channels = channelsOf(outputs[0].shape);
    const across = width * block;
    return ([x], [y], lo, hi) => {
      for (let p = lo; p < hi; p++) {
        const row = Math.floor(p / across);
        const part = (row % block) * block + (p % block);
        const from = x!.at(Math.floor(row / block) * width + Math.floor((p % across) / block));
        const to = y.at(p);
        const start = order === 'DCR' ? from + part * channels : from + part;
        const step = order === 'DCR' ? 1 : block * block;
        for (let c = 0; c < channels; c++) y.data[to + c] = x!.data[start + c * step];
      }
    };
  },
};
