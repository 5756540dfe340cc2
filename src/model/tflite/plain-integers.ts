/**
 * 32-bit integers with a scale: TFLite's kernels take their scale only in biases and in (de)quantisation. For all other
 * operators they are plain integers, whatever the file says of them.
 */
import type { FileModel } from './file.ts';

const SCALED = new Set(['QUANTIZE', 'DEQUANTIZE']);

/** From here on inputs of convolutions and dense layers are biases; of no other operator has an input a scale there. */
const FIRST_BIAS = 2;

/** The model without the scales that nobody reads. */
export function withPlainIntegers(model: FileModel): FileModel {
  const scaled = new Set(
    model.nodes.flatMap(({ builtin, inputs, outputs }) =>
      SCALED.has(builtin) ? [...inputs, ...outputs] : inputs.slice(FIRST_BIAS),
    ),
  );
  const tensors = model.tensors.map((tensor) =>
    tensor.type === 'i32' && tensor.quant && !scaled.has(tensor.index)
      ? { ...tensor, quant: undefined }
      : tensor,
  );
  return { ...model, tensors };
}
