/** Short ways to write test graphs. */
import { GraphBuilder, type OperatorOptions } from '../../../graph/builder.ts';
import {
  type Attributes,
  type Dialect,
  type ElementType,
  elementCount,
  type Graph,
  perTensor,
  type Tensor,
} from '../../../graph/graph.ts';
import { type Random, randomValues, seeded } from '../../../ops/testing/operator-case.ts';
import { scatter } from '../permutation.ts';

export const F32: ElementType = { dtype: 'f32' };

export interface Sketch {
  readonly b: GraphBuilder;
  readonly random: Random;
  input(shape: readonly number[], type?: ElementType, perm?: readonly number[]): Tensor;
  weights(shape: readonly number[], type?: ElementType): Tensor;
  scalar(x: number): Tensor;
  op(
    kind: string,
    inputs: readonly (Tensor | undefined)[],
    attrs?: Attributes,
    options?: OperatorOptions,
  ): Tensor;
  conv(x: Tensor, cout: number, kernel?: number, pad?: number): Tensor;
  relu(x: Tensor): Tensor;
  quantize(x: Tensor, scale: number, zeroPoint: number, dtype?: 'i8' | 'u8'): Tensor;
  dequantize(x: Tensor): Tensor;
}

/** Builds a graph; every tensor that the function gives back becomes an output, shown by `perm` if given. */
export function sketch(
  build: (s: Sketch) => Tensor | Tensor[],
  dialect: Dialect = 'onnx',
  seed = 7,
  perm: (t: Tensor, s: Sketch) => readonly number[] | undefined = () => undefined,
): Graph {
  const b = new GraphBuilder('test', dialect);
  const random = seeded(seed);
  let count = 0;
  const s: Sketch = {
    b,
    random,
    input: (shape, type = F32, perm) =>
      b.input({ name: `in${count++}`, shape, dtype: type.dtype, perm }, type),
    weights: (shape, type = F32) =>
      b.constant(`w${count++}`, shape, randomValues(random, type, elementCount(shape)), type),
    scalar: (x) => b.constant(`c${count++}`, [], Float32Array.of(x)),
    op: (kind, inputs, attrs, options) => b.op(kind, inputs, attrs, options),
    conv: (x, cout, kernel = 3, pad = 1) => {
      const w = s.weights([cout, kernel, kernel, x.shape[3]]);
      return b.op('Conv', [x, w, s.weights([cout])], windowAttributes(pad));
    },
    relu: (x) => b.op('Clip', [x], { min: 0, max: null }),
    quantize: (x, scale, zeroPoint, dtype = 'u8') =>
      b.op('Quantize', [x], {}, { given: [{ shape: x.shape, dtype, quant: perTensor(scale, zeroPoint) }] }),
    dequantize: (x) => b.op('Dequantize', [x], {}, { keep: true }),
  };
  const outputs = [build(s)].flat();
  outputs.forEach((t, i) => {
    const order = perm(t, s);
    const shape = order ? scatter(order, t.shape) : t.shape;
    b.output(t, { name: `out${i}`, shape, dtype: t.dtype, ...(order ? { perm: order } : {}) });
  });
  return b.build();
}

export function windowAttributes(pad: number, groups = 1): Attributes {
  return { stride: [1, 1], dilation: [1, 1], pads: [pad, pad, pad, pad], groups };
}
