/**
 * Local response normalisation across channels (ONNX LRN): x / (bias + alpha / size * sum of squares)^beta, the
 * sum over `size` channels around each one.
 */
import { pow32 } from '../arithmetic/float32.ts';
import { channelsOf } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import type { OperatorDef } from './operator.ts';
import { dequantiser, quantiser } from './stored.ts';

export type LrnAttributes = {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
};

export const lrn: OperatorDef<LrnAttributes> = {
  kind: 'LRN',
  access: 'pixel',
  infer([x], _attrs, given) {
    const type = given?.[0] ?? x!;
    return [{ shape: x!.shape, dtype: type.dtype, quant: type.quant }];
  },
  reads: (_ctx, _index, lo, hi) => ({ lo, hi }),
  macs: () => 0,
  kernel({ op, inputs, outputs, dialect }) {
    const { size } = op.attrs;
    const before = Math.floor((size - 1) / 2);
    const after = size - 1 - before;
    const factor = Math.fround(Math.fround(op.attrs.alpha) / size);
    const bias = Math.fround(op.attrs.bias);
    const beta = Math.fround(op.attrs.beta);
    const decode = dequantiser(inputs[0]!);
    const encode = quantiser(coreOutputType(op.epilogue, outputs[0]), dialect);
    const channels = channelsOf(outputs[0].shape);
    return ([x], [y], lo, hi) => {
      for (let p = lo; p < hi; p++) {
        const i = x!.at(p);
        const o = y.at(p);
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let k = Math.max(0, c - before); k <= Math.min(channels - 1, c + after); k++) {
            const v = decode(x!.data[i + k], 0);
            sum = Math.fround(sum + Math.fround(v * v));
          }
          const scale = pow32(Math.fround(bias + Math.fround(factor * sum)), -beta);
          y.data[o + c] = encode(Math.fround(decode(x!.data[i + c], 0) * scale), 0);
        }
      }
    };
  },
};
