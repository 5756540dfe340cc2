/**
 * 32-bit integers with a scale: TFLite's kernels take their scale only in biases and in (de)quantisation. For all other
 * operators they are plain integers, whatever the file says of them.
 */
import type { FileModel } from './file.ts';

const SCALED = new Set(['QUANTIZE', 'DEQUANTIZE']);

/** Where an operator has its bias among its inputs. */
const BIAS: Readonly<Record<string, number>> = {
  CONV_2D: 2,
  DEPTHWISE_CONV_2D: 2,
  FULLY_CONNECTED: 2,
  TRANSPOSE_CONV: 3,
};

/** The model without the scales that nobody reads. */
export function withPlainIntegers(model: FileModel): FileModel {
  const scaled = new Set(
    model.nodes.flatMap(({ builtin, inputs, outputs }) =>
      SCALED.has(builtin)
        ? [...inputs, ...outputs]
        : Object.hasOwn(BIAS, builtin)
          ? inputs.slice(BIAS[builtin], BIAS[builtin] + 1)
          : [],
    ),
  );
  const tensors = model.tensors.map((tensor) =>
    tensor.type === 'i32' && tensor.quant && !scaled.has(tensor.index)
      ? { ...tensor, quant: undefined }
      : tensor,
  );
  return { ...model, tensors };
}
