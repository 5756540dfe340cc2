/**
 * How a permutation of a tensor's dimensions passes through an operator. A tensor t is "held by perm" when
 * another one, t', stands for it with t = Transpose(t', perm): dimension j of t is dimension perm[j] of t'.
 */
import type { GraphEdit } from '../../graph/edit.ts';
import type { Attributes, Operator, Tensor } from '../../graph/graph.ts';
import { BINARY_KINDS } from '../../ops/binary.ts';
import { definitionOf } from '../../ops/registry.ts';
import { scatter } from './permutation.ts';

export interface Carried {
  /** How the output is held. */
  readonly output: readonly number[];
  readonly attrs: Attributes;
}

/** Elementwise on inputs of one rank. */
const ELEMENTWISE = new Set<string>([...BINARY_KINDS, 'Where']);

/** The operator with all its inputs (of its output's rank) held by perm; undefined where it cannot be. */
export function carry(edit: GraphEdit, op: Operator, perm: readonly number[]): Carried | undefined {
  if (op.outputs.length !== 1) return undefined;
  const y = edit.output(op);
  const x = edit.input(op, 0)!;
  const { attrs } = op;
  const rank = perm.length;
  const last = rank - 1;
  const inputs = op.inputs.map((_, i) => edit.input(op, i));
  if (
    inputs.some((t) => !t) ||
    op.epilogue?.some((e) => perChannel(e.kind, e.attrs)) ||
    hasAxes([...inputs, y])
  )
    return undefined;
  const ranked = y.shape.length === rank;
  const list = (name: string) => scatter(perm, attrs[name] as readonly number[]);
  if (ELEMENTWISE.has(op.kind)) return ranked ? { output: perm, attrs } : undefined;
  if (definitionOf(op.kind).unary) return perChannel(op.kind, attrs) ? undefined : { output: perm, attrs };
  switch (op.kind) {
    case 'Concat':
      return { output: perm, attrs: { ...attrs, axis: perm[attrs.axis as number] } };
    case 'Softmax':
    case 'LogSoftmax':
    case 'Hardmax':
    case 'LpNormalization': {
      const axis = attrs.axis as number;
      // Along the last axis these run pixel by pixel; that is worth more than a Transpose.
      if (axis === last && perm[axis] !== last) return undefined;
      return { output: perm, attrs: { ...attrs, axis: perm[axis] } };
    }
    case 'Pad':
      return { output: perm, attrs: { ...attrs, before: list('before'), after: list('after') } };
    case 'Slice':
      return {
        output: perm,
        attrs: { ...attrs, starts: list('starts'), steps: list('steps'), sizes: list('sizes') },
      };
    case 'ReduceMean':
    case 'ReduceSum':
    case 'ReduceMax':
    case 'ReduceMin':
    case 'ReduceProd':
    case 'ReduceL2': {
      const axes = (attrs.axes as readonly number[]).map((axis) => perm[axis]).sort((a, b) => a - b);
      if (attrs.keepDims) return { output: perm, attrs: { ...attrs, axes } };
      const old = attrs.axes as readonly number[];
      const kept = perm.filter((_, j) => !old.includes(j));
      const sorted = [...kept].sort((a, b) => a - b);
      if (x.shape.length - old.length !== y.shape.length) return undefined;
      return { output: kept.map((at) => sorted.indexOf(at)), attrs: { ...attrs, axes } };
    }
    default:
      return undefined;
  }
}

/** Whether the output's permutation fixes the inputs', so that it can be carried upwards too. */
export function carriesUp(op: Operator): boolean {
  return !op.kind.startsWith('Reduce') || op.attrs.keepDims === true;
}

function perChannel(kind: string, attrs: Attributes): boolean {
  const many = (name: string) => (attrs[name] as readonly number[]).length > 1;
  if (kind === 'ChannelAffine') return many('scale') || many('shift');
  return kind === 'ChannelPRelu' && many('slope');
}

function hasAxes(tensors: readonly (Tensor | undefined)[]): boolean {
  return tensors.some((t) => (t?.quant?.scale.length ?? 1) > 1);
}
