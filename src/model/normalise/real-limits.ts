/** Whether real numbers in float32, which a quantised operator stands for, stay numbers on the way. */
import { type ElementType, elementCount, type Tensor } from '../../graph/graph.ts';
import { integerRange } from '../../ops/stored.ts';

const { fround } = Math;

/** True where every stored value stands for a number. */
export function decodesFinite(type: ElementType): boolean {
  return Number.isFinite(fround(reach(type)));
}

/** The greatest magnitude that a stored value decodes to. */
function reach({ dtype, quant }: ElementType): number {
  const [least, greatest] = integerRange(dtype);
  const scales = quant?.scale ?? [1];
  return scales.reduce((most, s, i) => {
    const zero = quant?.zeroPoint[i] ?? 0;
    return Math.max(most, fround(s) * Math.max(greatest - zero, zero - least));
  }, 0);
}

/**
 * True where no stored inputs make a float32 operator overflow. Integers cannot: they give a number where infinities
 * that meet give none, so that only an operator that never meets any may become one of integers.
 */
export function staysFinite(kind: string, inputs: readonly Tensor[], to: ElementType): boolean {
  const reaches = inputs.map(reach);
  const [x, w] = inputs;
  const scale = fround(to.quant?.scale[0] ?? 1);
  const finite = (v: number) => Number.isFinite(fround(v));
  switch (kind) {
    case 'Conv':
    case 'ConvTranspose':
    case 'FullyConnected':
    case 'MatMul':
    case 'Mul': {
      const terms = kind === 'Mul' ? 1 : elementCount(w.shape);
      const sx = fround(x.quant!.scale[0]);
      const units = w.quant!.scale.map((s) => fround(sx * fround(s)) / scale);
      return reaches.every(finite) && finite(reaches[0] * reaches[1] * terms) && units.every(finite);
    }
    default:
      return finite(reaches.reduce((a, r) => a + r, 0) * elementCount(x.shape));
  }
}
