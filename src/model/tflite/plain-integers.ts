/**
 * 32-bit integers with a scale: TFLite's kernels take their scale only in biases and in (de)quantisation. For all other
 * operators they are plain integers, whatever the file says of them.
 */
import type { GraphBuilder } from '../../graph/builder.ts';
import type { ElementType, Tensor } from '../../graph/graph.ts';
import type { FileModel } from './file.ts';

const SCALED = new Set(['QUANTIZE', 'DEQUANTIZE']);

/** Where an operator has its bias among its inputs. */
const BIAS: Readonly<Record<string, number>> = {
  CONV_2D: 2,
  DEPTHWISE_CONV_2D: 2,
  FULLY_CONNECTED: 2,
  TRANSPOSE_CONV: 3,
};

/** Whether an operator takes the scale of an int32 input. */
export function takesScale(builtin: string, input: number): boolean {
  return SCALED.has(builtin) || (Object.hasOwn(BIAS, builtin) && BIAS[builtin] === input);
}

/** The same elements with another scale or none: what operators that take none have to do with the others. */
export function withScaleOf(builder: GraphBuilder, x: Tensor, { quant }: Partial<ElementType> = {}): Tensor {
  if (x.dtype !== 'i32' || (x.quant === undefined) === (quant === undefined)) return x;
  if (!quant) return builder.op('Cast', [x], { to: 'i32' }, { name: `${x.name}:plain` });
  const { shape, dtype } = x;
  return builder.op(
    'Reshape',
    [x],
    { shape },
    { name: `${x.name}:scaled`, given: [{ shape, dtype, quant }] },
  );
}

/** The model without the scales that nobody reads. */
export function withPlainIntegers(model: FileModel): FileModel {
  const scaled = new Set(
    model.nodes.flatMap(({ builtin, inputs, outputs }) => [
      ...inputs.filter((_, i) => takesScale(builtin, i)),
      ...(SCALED.has(builtin) ? outputs : []),
    ]),
  );
  const tensors = model.tensors.map((tensor) =>
    tensor.type === 'i32' && tensor.quant && !scaled.has(tensor.index)
      ? { ...tensor, quant: undefined }
      : tensor,
  );
  return { ...model, tensors };
}
