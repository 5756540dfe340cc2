/** MatMul and Gemm. A constant second operand makes a FullyConnected layer, whose weights are `[N, K]`. */
import { TidemarkError } from '../../../errors.ts';
import { lazyConstant, type TypedArray } from '../../../graph/graph.ts';
import type { OutputType } from '../../../ops/operator.ts';
import { isStraight, plainView, walkOf } from '../layout.ts';
import { combined, countOf, emit, type Importer, input, type NodeContext, scalar } from '../node-context.ts';
import {
  constantValues,
  isConstant,
  place,
  reshaped,
  tensorValue,
  transposed,
  type Value,
} from '../value.ts';

export interface FullyConnectedOptions {
  readonly bias?: Value;
  readonly given?: Omit<OutputType, 'shape'>;
  readonly output?: number | string;
}

/**
 * x `[..., K]` times w `[K, N]`. Where x is a flattened picture that lies channels last, the columns of the
 * weights are put in memory's order instead, so that the picture is not moved.
 */
export function fullyConnected(
  c: NodeContext,
  x: Value,
  w: Value,
  { bias, given, output = 0 }: FullyConnectedOptions = {},
): Value {
  const k = x.shape[x.shape.length - 1];
  if (w.shape.length !== 2 || w.shape[0] !== k) {
    throw new TidemarkError(
      'shape-mismatch',
      `weights [${w.shape}] do not fit an input of shape [${x.shape}]`,
    );
  }
  const n = w.shape[1];
  const biasTensor = bias && place(c.b, bias, 'file');
  const shape = [...x.shape.slice(0, -1), n];
  const type = x.type;
  const declared = given && { ...given, shape };
  const order = isConstant(w) && x.shape.length === 2 ? memoryOrder(x) : undefined;
  if (order) {
    const parts = reshaped(c.b, w, [...order.sizes, n]);
    const columns = order.perm;
    const turned = transposed(parts, [columns.length, ...columns]);
    const weights = place(c.b, reshaped(c.b, turned, [n, k]), 'file');
    return emit(
      c,
      'FullyConnected',
      [x.source.tensor, weights, biasTensor],
      { flatten: true },
      { type, given: declared, output },
    );
  }
  const weights = place(c.b, transposed(w, [1, 0]), 'file');
  return emit(
    c,
    'FullyConnected',
    [place(c.b, x, 'file'), weights, biasTensor],
    { flatten: false },
    { type, given: declared, output },
  );
}

/** How a `[batch, K]` value's columns lie in memory; undefined where a row is not one run of it, or in order. */
function memoryOrder(x: Value): { sizes: number[]; perm: number[] } | undefined {
  const { atoms, dims } = x.view;
  const [rows, columns] = dims;
  if (x.dequantise || columns.length < 2 || isStraight(walkOf(x.view))) return undefined;
  if (!rows.every((atom, i) => atom === i)) return undefined;
  const inMemory = [...columns].sort((a, b) => a - b);
  const batch = x.shape[0];
  if (x.source.tensor.shape[0] !== batch) return undefined;
  return { sizes: columns.map((atom) => atoms[atom]), perm: inMemory.map((atom) => columns.indexOf(atom)) };
}

const matMul: Importer = (c) => {
  const a = input(c, 0);
  const b = input(c, 1);
  if (a.shape.length === 0 || b.shape.length === 0)
    throw new TidemarkError('shape-mismatch', 'MatMul needs vectors or matrices');
  if (isConstant(b) && b.shape.length === 2 && !isConstant(a) && a.shape.length >= 2)
    return [fullyConnected(c, a, b)];
  return [matrixProduct(c, a, b)];
};

/** numpy's matmul: vectors become matrices and back. */
export function matrixProduct(c: NodeContext, a: Value, b: Value, given?: Omit<OutputType, 'shape'>): Value {
  const left = a.shape.length === 1 ? reshaped(c.b, a, [1, ...a.shape]) : a;
  const right = b.shape.length === 1 ? reshaped(c.b, b, [...b.shape, 1]) : b;
  const [m, k] = left.shape.slice(-2);
  const [k2, n] = right.shape.slice(-2);
  if (k !== k2) throw new TidemarkError('shape-mismatch', `cannot multiply [${a.shape}] by [${b.shape}]`);
  const batch = left.shape.length >= right.shape.length ? left.shape.slice(0, -2) : right.shape.slice(0, -2);
  const made = emit(
    c,
    'MatMul',
    [place(c.b, left, 'file'), place(c.b, right, 'file')],
    { transposeA: false, transposeB: false },
    {
      type: a.type,
      given: given && { ...given, shape: [...batch, m, n] },
    },
  );
  if (left === a && right === b) return made;
  const shape = made.shape.slice(0, -2);
  if (left === a) shape.push(made.shape[made.shape.length - 2]);
  if (right === b) shape.push(made.shape[made.shape.length - 1]);
  return reshaped(c.b, made, shape);
}

/** alpha * A' * B' + beta * C */
const gemm: Importer = (c) => {
  const flag = (name: string) => c.attrs.int(name, 0) !== 0;
  const a = flag('transA') ? transposed(input(c, 0), [1, 0]) : input(c, 0);
  const b = flag('transB') ? transposed(input(c, 1), [1, 0]) : input(c, 1);
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new TidemarkError(
      'shape-mismatch',
      `Gemm multiplies matrices, the inputs have shapes [${a.shape}] and [${b.shape}]`,
    );
  }
  const alpha = c.attrs.float('alpha', 1);
  const beta = c.attrs.float('beta', 1);
  const summand = beta === 0 ? undefined : c.inputs[2];
  const n = b.shape[1];
  const scaled = alpha !== 1 && isConstant(b) ? scaledConstant(c, b, alpha) : b;
  const late = alpha !== 1 && scaled === b;
  const perChannel = summand && isConstant(summand) && !late && channelBias(c, summand, n, beta);
  const left = isConstant(a) && !isConstant(b) ? tensorValue(place(c.b, a, 'file'), a.type) : a;
  const rest = (late ? 1 : 0) + (summand && !perChannel ? 1 : 0);
  let y = fullyConnected(c, left, scaled, {
    bias: perChannel || undefined,
    output: rest > 0 ? 'product' : 0,
  });
  if (late) y = combined(c, 'Mul', [y, scalar(c, alpha)], {}, { output: rest > 1 ? 'scaled' : 0 });
  if (!summand || perChannel) return [y];
  const addend =
    beta === 1 ? summand : combined(c, 'Mul', [summand, scalar(c, beta)], {}, { output: 'summand' });
  return [combined(c, 'Add', [y, addend])];
};

/** A constant times a number, multiplied on first use. */
function scaledConstant(c: NodeContext, value: Value, factor: number): Value {
  const constant = lazyConstant(() => scale(constantValues(c.b, value), factor));
  const tensor = c.b.tensor(`${value.name}/scaled`, value.shape, { dtype: 'f32' }, constant);
  return { ...tensorValue(tensor, value.type), view: plainView(value.shape) };
}

function scale(values: TypedArray, factor: number): TypedArray {
  return Float32Array.from(values, (v) => Math.fround(v * Math.fround(factor)));
}

/** The summand as one number a column, where it is that. */
function channelBias(c: NodeContext, summand: Value, n: number, beta: number): Value | undefined {
  const count = countOf(summand);
  const columns = summand.shape[summand.shape.length - 1] ?? 1;
  if (count !== 1 && (count !== n || columns !== n)) return undefined;
  if (count === n && summand.dequantise && beta === 1) return reshaped(c.b, summand, [n]);
  const constant = lazyConstant(() => {
    const values = constantValues(c.b, summand);
    return scale(count === n ? values : new Float32Array(n).fill(values[0]), beta);
  });
  return tensorValue(c.b.tensor(`${summand.name}/bias`, [n], { dtype: 'f32' }, constant), summand.type);
}

export const productImporters: Record<string, Importer> = {
  MatMul: matMul,
  Gemm: gemm,
  'com.microsoft:FusedMatMul': (c) => {
    const swap = (v: Value) => {
      const axes = [...v.shape.keys()];
      return transposed(v, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
    };
    const a = c.attrs.int('transA', 0) ? swap(input(c, 0)) : input(c, 0);
    const b = c.attrs.int('transB', 0) ? swap(input(c, 1)) : input(c, 1);
    const y = matrixProduct(c, a, b);
    const alpha = c.attrs.float('alpha', 1);
    return [alpha === 1 ? y : combined(c, 'Mul', [y, scalar(c, alpha)], {}, { output: 'scaled' })];
  },
};
