/** Types of operators that accumulate products: which combinations exist and what comes out. */
import { TidemarkError } from '../errors.ts';
import type { DType, ElementType, Quantisation, Tensor } from '../graph/graph.ts';
import type { OutputType } from './operator.ts';

/**
 * The output type of `x` times `w` for a number of output channels: the declared one, else float32 for float32
 * and the bare sum for integers.
 */
export function accumulatedType(
  x: ElementType,
  w: ElementType,
  channels: number,
  given?: OutputType,
): ElementType {
  const wanted = given?.dtype;
  const integer = (t: DType | undefined) => t === 'i8' || t === 'u8' || t === 'i16';
  const floats = x.dtype === 'f32' && w.dtype === 'f32' && (wanted === undefined || wanted === 'f32');
  const integers =
    integer(x.dtype) &&
    (w.dtype === 'i8' || w.dtype === 'u8') &&
    (wanted === undefined || wanted === 'i32' || (integer(wanted) && given?.quant !== undefined));
  if (!floats && !integers) {
    const to = wanted === undefined ? '' : ` to ${wanted}`;
    throw new TidemarkError(
      'type-unsupported',
      `no product of ${x.dtype} with ${w.dtype}${to}; expected float32 or quantised operands throughout`,
    );
  }
  checkScales(x.quant, 'the input', 1);
  checkScales(given?.quant, 'the output', 1);
  checkScales(w.quant, 'the weights', channels);
  if (given) return { dtype: given.dtype, quant: given.quant };
  return { dtype: floats ? 'f32' : 'i32' };
}

/** Refuses quantisation that is neither of the whole tensor nor of each output channel. */
function checkScales(quant: Quantisation | undefined, what: string, channels: number): void {
  const count = quant?.scale.length ?? 1;
  if (count !== 1 && count !== channels) {
    const expected = channels === 1 ? 'one' : `one or ${channels}`;
    throw new TidemarkError('quantisation-invalid', `${what} has ${count} scales, expected ${expected}`);
  }
}

/** Refuses a bias that does not have one value a channel, or is no sum of products of `x`. */
export function checkBias(bias: Tensor | undefined, channels: number, x: Tensor | undefined): void {
  if (!bias) return;
  const expected = x?.dtype === 'f32' ? 'f32' : 'i32';
  if (bias.dtype !== expected) {
    throw new TidemarkError(
      'type-unsupported',
      `a bias of ${bias.dtype} on products of ${x?.dtype}; expected ${expected}`,
    );
  }
  let count = 1;
  for (const d of bias.shape) count *= d;
  if (count !== channels) {
    throw new TidemarkError(
      'shape-mismatch',
      `a bias of [${bias.shape}] does not fit ${channels} output channels`,
    );
  }
}
