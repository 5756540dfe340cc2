/** Stored and real numbers in the loop-nest language: what src/ops/stored.ts does, for types with one scale. */
import { TidemarkError } from '../errors.ts';
import type { Dialect, ElementType } from '../graph/graph.ts';
import { integerRange } from '../ops/stored.ts';
import { roundedInto } from './arithmetic.ts';
import { constant, convert, div, mul, sub } from './builder.ts';
import { type Expr, lanesOf, typeOf } from './ir.ts';

function whole(type: ElementType): { readonly scale: number; readonly zero: number } {
  if (type.quant!.scale.length > 1)
    throw new TidemarkError('operator-unsupported', 'scales of each channel cannot be emitted here yet');
  return { scale: Math.fround(type.quant!.scale[0]), zero: type.quant!.zeroPoint[0] };
}

/** Stored integers (i32 scalar or lanes) to f32: (q - zeroPoint) * scale. Without quantisation, their value. */
export function decode(from: ElementType, x: Expr): Expr {
  if (from.dtype === 'f32') return x;
  const real = typeOf('f32', lanesOf(x.type));
  if (!from.quant) return convert(real, x);
  const { scale, zero } = whole(from);
  const centred = zero === 0 ? x : sub(x, constant(x.type, zero));
  return mul(convert(real, centred), constant(real, scale));
}

/** f32 to stored integers: round(x / scale) + zeroPoint, saturated. f32 outputs stay. */
export function encode(to: ElementType, dialect: Dialect, x: Expr): Expr {
  if (to.dtype === 'f32') return x;
  if (!to.quant)
    throw new TidemarkError(
      'operator-unsupported',
      `real values to unquantised ${to.dtype} cannot be emitted yet`,
    );
  const { scale, zero } = whole(to);
  const [least, greatest] = integerRange(to.dtype);
  const ties = dialect === 'tflite' ? 'away' : 'even';
  return roundedInto(div(x, constant(x.type, scale)), zero, least, greatest, ties);
}
