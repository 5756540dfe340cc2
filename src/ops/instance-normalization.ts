/** InstanceNormalization: each channel of each picture to mean 0 and variance 1, then scaled and shifted. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount, pixelsOf } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import { moments } from './normalise-line.ts';
import type { OperatorDef } from './operator.ts';
import { dequantiser, quantiser } from './stored.ts';

export type InstanceNormalizationAttributes = { readonly epsilon: number };

export const instanceNormalization: OperatorDef<InstanceNormalizationAttributes> = {
  kind: 'InstanceNormalization',
  access: 'whole',
  infer([x, scale, bias], _attrs, given) {
    const channels = channelsOf(x!.shape);
    for (const t of [scale, bias]) {
      if (!t || elementCount(t.shape) !== channels) {
        throw new TidemarkError(
          'shape-mismatch',
          `scale and bias need ${channels} entries each, received ${t ? `${t.name} [${t.shape}]` : 'none'}`,
        );
      }
    }
    const type = given?.[0] ?? x!;
    return [{ shape: x!.shape, dtype: type.dtype, quant: type.quant }];
  },
  macs: () => 0,
  kernel({ op, inputs, outputs, dialect }) {
    const { shape } = inputs[0]!;
    const channels = channelsOf(shape);
    const batch = shape.length > 1 ? shape[0] : 1;
    const pixels = pixelsOf(shape) / Math.max(1, batch);
    const [decode, decodeScale, decodeBias] = inputs.map((t) => dequantiser(t!));
    const encode = quantiser(coreOutputType(op.epilogue, outputs[0]), dialect);
    return ([x, scale, bias], [y]) => {
      for (let n = 0; n < batch; n++) {
        for (let c = 0; c < channels; c++) {
          const start = n * pixels;
          const read = (p: number) => decode(x!.data[x!.at(start + p) + c], 0);
          const { mean, inverse } = moments(read, pixels, op.attrs.epsilon);
          const factor = Math.fround(inverse * decodeScale(scale!.data[scale!.at(0) + c], 0));
          const shift = decodeBias(bias!.data[bias!.at(0) + c], 0);
          for (let p = 0; p < pixels; p++) {
            const v = Math.fround(Math.fround(Math.fround(read(p) - mean) * factor) + shift);
            y.data[y.at(start + p) + c] = encode(v, 0);
          }
        }
      }
    };
  },
};
