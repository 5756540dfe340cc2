/** LayerNormalization: each block of the axes from `axis` on to mean 0 and variance 1, then scaled and shifted. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount, type Tensor } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import { checkAxis, elementIndex, elementStrides } from './move.ts';
import { moments } from './normalise-line.ts';
import type { OperatorDef } from './operator.ts';
import { dequantiser, quantiser } from './stored.ts';

export type LayerNormalizationAttributes = { readonly axis: number; readonly epsilon: number };

export const layerNormalization: OperatorDef<LayerNormalizationAttributes> = {
  kind: 'LayerNormalization',
  access: 'pixel',
  contiguousFrom: 1,
  infer([x, scale, bias], { axis }, given) {
    checkAxis(axis, x!);
    const block = x!.shape.slice(axis);
    for (const t of [scale, bias]) {
      const padded = t && [...new Array(Math.max(0, block.length - t.shape.length)).fill(1), ...t.shape];
      if (padded && (padded.length !== block.length || padded.some((d, k) => d !== 1 && d !== block[k]))) {
        throw new TidemarkError(
          'shape-mismatch',
          `${t.name} [${t.shape}] does not broadcast to the normalised axes [${block}]`,
        );
      }
    }
    const type = given?.[0] ?? x!;
    return [{ shape: x!.shape, dtype: type.dtype, quant: type.quant }];
  },
  reads({ op, inputs, outputs }, index, lo, hi) {
    if (index > 0)
      return { lo: 0, hi: elementCount(inputs[index]!.shape) / channelsOf(inputs[index]!.shape) };
    const pixels = elementCount(outputs[0].shape.slice(op.attrs.axis, -1));
    return { lo: Math.floor(lo / pixels) * pixels, hi: Math.ceil(hi / pixels) * pixels };
  },
  macs: () => 0,
  kernel({ op, inputs, outputs, dialect }) {
    const { axis, epsilon } = op.attrs;
    const { shape } = outputs[0];
    const channels = channelsOf(shape);
    const block = shape.slice(axis);
    const length = elementCount(block);
    const decode = dequantiser(inputs[0]!);
    const [scaleAt, biasAt] = [inputs[1], inputs[2]].map((t) => t && broadcastIndex(t, block));
    const [decodeScale, decodeBias] = [inputs[1], inputs[2]].map((t) => dequantiser(t ?? { dtype: 'f32' }));
    const encode = quantiser(coreOutputType(op.epilogue, outputs[0]), dialect);
    return ([x, scale, bias], [y], lo, hi) => {
      const index = elementIndex(x!, channels);
      let known = -1;
      let of = { mean: 0, inverse: 1 };
      for (let p = lo; p < hi; p++) {
        const o = y.at(p);
        for (let c = 0; c < channels; c++) {
          const e = p * channels + c;
          const line = Math.floor(e / length);
          const start = line * length;
          if (line !== known) of = moments((i) => decode(x!.data[index(start + i)], 0), length, epsilon);
          known = line;
          let v = Math.fround(Math.fround(decode(x!.data[index(e)], 0) - of.mean) * of.inverse);
          if (scaleAt) v = Math.fround(v * decodeScale(scale!.data[scale!.at(0) + scaleAt(e - start)], 0));
          if (biasAt) v = Math.fround(v + decodeBias(bias!.data[bias!.at(0) + biasAt(e - start)], 0));
          y.data[o + c] = encode(v, 0);
        }
      }
    };
  },
};

/** Element of a parameter that element e of the block takes. */
function broadcastIndex(t: Tensor, block: readonly number[]): (e: number) => number {
  const missing = block.length - t.shape.length;
  const strides = elementStrides(t.shape).map((s, k) => (t.shape[k] === 1 ? 0 : s));
  const of = elementStrides(block);
  return (e) => {
    let sum = 0;
    for (let k = 0; k < strides.length; k++)
      sum += (Math.floor(e / of[k + missing]) % block[k + missing]) * strides[k];
    return sum;
  };
}
