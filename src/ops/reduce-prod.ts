/**
 * ReduceProd: the product over the axes; wrapping for integers. Quantised tensors are multiplied as float32 in
 * both dialects (TFLite rescales in integers at each step instead, which may differ by a step).
 */
import { reduceOperator } from './reduce.ts';
import { dequantiser, quantiser } from './stored.ts';

export const reduceProd = reduceOperator('ReduceProd', (from, to, _count, dialect) => {
  if (from.dtype !== 'f32' && !from.quant) {
    return { state: 'i32', start: 1, step: (product, value) => Math.imul(product, value), finish: (v) => v };
  }
  const decode = dequantiser(from);
  const encode = quantiser(to, dialect);
  return {
    state: 'f32',
    start: 1,
    step: (product, value) => Math.fround(product * decode(value, 0)),
    finish: (product) => encode(product, 0),
  };
});
