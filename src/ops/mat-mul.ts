/** MatMul: products of the last two dimensions, the others broadcast. Sums go over k in order from zero. */
import { TidemarkError } from '../errors.ts';
import { type Attributes, elementCount, type Tensor } from '../graph/graph.ts';
import type { OperatorDef } from './operator.ts';
import { outputStage } from './output-stage.ts';
import { accumulatedType } from './product-types.ts';
import { weightZeros } from './weight-zeros.ts';

export interface MatMulAttributes extends Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Sizes of a product and the leading dimensions of its output; a vector stands for a matrix of one row or column. */
interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly batch: readonly number[];
  readonly shape: readonly number[];
}

export function productOf([a, b]: readonly (Tensor | undefined)[], attrs: MatMulAttributes): Product {
  const mismatch = () =>
    new TidemarkError('shape-mismatch', `matrices [${a!.shape}] and [${b!.shape}] cannot be multiplied`);
  if (!a || !b) throw new TidemarkError('shape-mismatch', 'a product without both operands');
  if (a.shape.length === 0 || b.shape.length === 0) throw mismatch();
  const left = a!.shape.length === 1 ? [1, a!.shape[0]] : a!.shape;
  const right = b!.shape.length === 1 ? [b!.shape[0], 1] : b!.shape;
  const [m, k] = attrs.transposeA ? [left.at(-1)!, left.at(-2)!] : [left.at(-2)!, left.at(-1)!];
  const [k2, n] = attrs.transposeB ? [right.at(-1)!, right.at(-2)!] : [right.at(-2)!, right.at(-1)!];
  if (k !== k2) throw mismatch();
  const rank = Math.max(left.length, right.length) - 2;
  const batch: number[] = [];
  for (let i = 0; i < rank; i++) {
    const p = left[i - rank + left.length - 2] ?? 1;
    const q = right[i - rank + right.length - 2] ?? 1;
    if (p !== q && p !== 1 && q !== 1) throw mismatch();
    batch.push(p === 1 ? q : p);
  }
  const shape = [...batch, ...(a!.shape.length === 1 ? [] : [m]), ...(b!.shape.length === 1 ? [] : [n])];
  return { rows: m, columns: n, depth: k, batch, shape };
}

/** For each matrix of the output, the index of the operand's matrix. */
export function operandMatrices(batch: readonly number[], shape: readonly number[]): Int32Array {
  const own = shape.length > 2 ? shape.slice(0, -2) : [];
  const matrices = new Int32Array(elementCount(batch));
  for (let i = 0; i < matrices.length; i++) {
    let rest = i;
    let stride = 1;
    for (let d = 1; d <= batch.length; d++) {
      const place = rest % batch[batch.length - d];
      rest = Math.floor(rest / batch[batch.length - d]);
      const size = d <= own.length ? own[own.length - d] : 1;
      if (size > 1) matrices[i] += place * stride;
      stride *= size;
    }
  }
  return matrices;
}

export const matMul: OperatorDef<MatMulAttributes> = {
  kind: 'MatMul',
  access: 'whole',
  infer(inputs, attrs, given) {
    const { shape, columns } = productOf(inputs, attrs);
    return [{ shape, ...accumulatedType(inputs[0]!, inputs[1]!, columns, given?.[0]) }];
  },
  macs({ inputs, op }) {
    const { rows, columns, depth, batch } = productOf(inputs, op.attrs);
    return rows * columns * depth * elementCount(batch);
  },
  kernel(ctx) {
    const { inputs, op } = ctx;
    const { rows, columns, depth, batch } = productOf(inputs, op.attrs);
    const ofA = operandMatrices(batch, inputs[0]!.shape);
    const ofB = operandMatrices(batch, inputs[1]!.shape);
    const [rowA, stepA] = op.attrs.transposeA ? [1, rows] : [depth, 1];
    const [columnB, stepB] = op.attrs.transposeB ? [depth, 1] : [1, columns];
    const float = inputs[0]!.dtype === 'f32';
    const wide = inputs[0]!.dtype === 'i16';
    const zeroA = inputs[0]!.quant?.zeroPoint[0] ?? 0;
    const zerosB = weightZeros(inputs[1]!, columns);
    const finish = float ? (sum: number) => sum : outputStage(ctx, columns);
    return ([a, b], [y]) => {
      const as = a!.data;
      const bs = b!.data;
      let out = y.at(0);
      for (let matrix = 0; matrix < ofA.length; matrix++) {
        const a0 = a!.at(0) + ofA[matrix] * rows * depth;
        const b0 = b!.at(0) + ofB[matrix] * depth * columns;
        for (let r = 0; r < rows; r++) {
          for (let n = 0; n < columns; n++) {
            let i = a0 + r * rowA;
            let j = b0 + n * columnB;
            const zeroB = zerosB[n];
            let sum = 0;
            for (let k = 0; k < depth; k++) {
              if (float) sum = Math.fround(sum + Math.fround(as[i] * bs[j]));
              else if (wide) sum += (as[i] - zeroA) * (bs[j] - zeroB);
              else sum = (sum + Math.imul(as[i] - zeroA, bs[j] - zeroB)) | 0;
              i += stepA;
              j += stepB;
            }
            y.data[out++] = finish(sum, n);
          }
        }
      }
    };
  },
};
