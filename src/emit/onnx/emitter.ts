/** What the file that writes one kind of operator is given, and what it answers. */
import { ABSENT, type Attributes, type Operator, type Tensor } from '../../graph/graph.ts';
import { effective, inFileOrder, type Layout } from './layout.ts';
import type { NodeAttributes } from './nodes.ts';
import type { Values } from './values.ts';

/** Real numbers in a layout: the operator's output before its epilogue. */
export interface Emitted {
  readonly value: string;
  readonly layout: Layout;
}

export interface EmitContext {
  readonly op: Operator;
  readonly values: Values;
  readonly attrs: Attributes;
  /** Version of ONNX's operator set that is written. */
  readonly opset: number;
}

export type Emitter = (c: EmitContext) => Emitted;

export function inputTensor(c: EmitContext, index: number): Tensor {
  return c.values.tensor(c.op.inputs[index]);
}

export function outputTensor(c: EmitContext): Tensor {
  return c.values.tensor(c.op.outputs[0]);
}

/** Names of inputs as real numbers, absent ones at the end left out. */
export function reals(c: EmitContext, layout: Layout): string[] {
  return c.op.inputs.filter((id) => id !== ABSENT).map((id) => c.values.real(id, layout));
}

/** A node of the operator's own name. */
export function main(
  c: EmitContext,
  opType: string,
  inputs: readonly string[],
  attrs?: NodeAttributes,
): string {
  return c.values.nodes.node(opType, inputs, attrs, c.op.name);
}

/** A node beside it. */
export function aside(
  c: EmitContext,
  opType: string,
  inputs: readonly string[],
  attrs?: NodeAttributes,
): string {
  return c.values.nodes.node(opType, inputs, attrs, `${c.op.name}/${opType}`);
}

export const first = (value: string): Emitted => ({ value, layout: 'first' });
export const last = (value: string): Emitted => ({ value, layout: 'last' });

/** The output's shape in the file. */
export function outputShape(c: EmitContext, layout: Layout): number[] {
  const { shape } = outputTensor(c);
  return inFileOrder(shape, effective(shape.length, layout));
}

export const numbers = (value: unknown): readonly number[] => value as readonly number[];
