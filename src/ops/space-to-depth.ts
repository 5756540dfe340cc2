/** SpaceToDepth: each block of pixels becomes one pixel. DCR: block, then channel; CRD: the reverse. */
import { TidemarkError } from '../errors.ts';
import { channelsOf } from '../graph/graph.ts';
import { type BlockAttributes, checkBlock } from './depth-to-space.ts';
import type { OperatorDef } from './operator.ts';
import { axisNeeds, pictureShape, rasterNeeds, type WindowAxis } from './window.ts';

const blockAxis = (input: number, block: number): WindowAxis => ({
  input,
  output: input / block,
  taps: block,
  stride: block,
  dilation: 1,
  pad: 0,
});

export const spaceToDepth: OperatorDef<BlockAttributes> = {
  kind: 'SpaceToDepth',
  access: 'pixel',
  infer([x], attrs, given) {
    checkBlock(attrs);
    const [n, h, w, c] = pictureShape(x, 'the input of SpaceToDepth');
    const { block } = attrs;
    if (h % block !== 0 || w % block !== 0) {
      throw new TidemarkError(
        'shape-mismatch',
        `a picture of ${h} by ${w} does not divide into blocks of ${block}`,
      );
    }
    const quant = given?.[0].quant ?? x!.quant;
    return [{ shape: [n, h / block, w / block, c * block * block], dtype: x!.dtype, quant }];
  },
  reads({ op, inputs }, _index, lo, hi) {
    const [n, h, w] = inputs[0]!.shape;
    return rasterNeeds(
      n,
      axisNeeds(blockAxis(h, op.attrs.block)),
      axisNeeds(blockAxis(w, op.attrs.block)),
      lo,
      hi,
    );
  },
  macs: () => 0,
  kernel({ op, inputs, outputs }) {
    const { block, order } = op.attrs;
    const width = inputs[0]!.shape[2];
    const across = outputs[0].shape[2];
    const channels = channelsOf(inputs[0]!.shape);
    return ([x], [y], lo, hi) => {
      for (let p = lo; p < hi; p++) {
        const first = Math.floor(p / across) * block * width + (p % across) * block;
        const to = y.at(p);
        for (let part = 0; part < block * block; part++) {
          const from = x!.at(first + Math.floor(part / block) * width + (part % block));
          const start = order === 'DCR' ? to + part * channels : to + part;
          const step = order === 'DCR' ? 1 : block * block;
          for (let c = 0; c < channels; c++) y.data[start + c * step] = x!.data[from + c];
        }
      }
    };
  },
};
