/**
 * What the import of one operator works with: its tensors as the graph has them, constants as plain numbers,
 * and a way to add graph operators whose last one carries the name and type that the file declares.
 */
import { TidemarkError } from '../../errors.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import {
  type Attributes,
  type ElementType,
  type Epilogue,
  elementCount,
  type Tensor,
} from '../../graph/graph.ts';
import { withinLimit } from '../../limits.ts';
import type { OutputType } from '../../ops/operator.ts';
import { fixedFactors } from '../../ops/output-stage.ts';
import { definitionOf } from '../../ops/registry.ts';
import { integerRange } from '../../ops/unary.ts';
import type { FileNode, FileTensor } from './file.ts';
import type { Activation } from './schema.ts';

/** Turns one operator of the file into operators of the graph and returns its outputs, in the file's order. */
export type Importer = (node: Node) => Tensor | readonly Tensor[];

/** One operator of the file during its import. */
export interface Node {
  readonly builder: GraphBuilder;
  readonly file: FileNode;
  /** Name for the graph operator: the built-in's name and its place in the file. */
  readonly name: string;
  /** The file's tensors that the operator writes. */
  readonly declared: readonly FileTensor[];
  /** Types of the outputs as the file declares them. */
  readonly types: readonly ElementType[];
  /** Inputs as the graph has them; undefined where an optional one is left out. */
  readonly inputs: readonly (Tensor | undefined)[];
}

/** Input i, which must be there. */
export function input(node: Node, i: number): Tensor {
  const tensor = node.inputs[i];
  if (!tensor)
    throw new TidemarkError(
      'operator-invalid',
      `input ${i} is missing; the operator has ${node.inputs.length}`,
    );
  return tensor;
}

/** The values of a constant input: a shape, axes, pads. Throws `shape-dynamic` when it is computed at run time. */
export function numbers(node: Node, i: number, what: string): number[] {
  if (input(node, i).dtype === 'f32')
    throw new TidemarkError(
      'operator-invalid',
      `its ${what} (tensor ${input(node, i).name}) are real numbers; expected whole ones`,
    );
  return constants(node, i, what);
}

/** A single constant number, of any type. */
export function single(node: Node, i: number, what: string): number {
  const values = constants(node, i, what);
  if (values.length !== 1)
    throw new TidemarkError('operator-invalid', `its ${what} has ${values.length} values; expected one`);
  return values[0];
}

function constants(node: Node, i: number, what: string): number[] {
  const tensor = input(node, i);
  if (!tensor.constant) {
    throw new TidemarkError(
      'shape-dynamic',
      `its ${what} (tensor ${tensor.name}) are computed at run time; expected constants, so that every size is known before a run`,
    );
  }
  const count = elementCount(tensor.shape);
  withinLimit('parameterNumbers', count, 'operator-invalid', `its ${what} are ${count} numbers`);
  return Array.from(tensor.constant.load());
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= Math.max(rank, 1)) {
    throw new TidemarkError('operator-invalid', `axis ${axis} of a tensor of rank ${rank}`);
  }
  return positive;
}

export interface FinishOptions {
  readonly activation?: Activation;
  /** Which output of the file this is. */
  readonly output?: number;
}

/** Adds the operator that writes an output of the file, with its fused activation. */
export function finish(
  node: Node,
  kind: string,
  inputs: readonly (Tensor | undefined)[],
  attrs: Attributes,
  options: FinishOptions = {},
): Tensor {
  const output = options.output ?? 0;
  const type = node.types[output] ?? { dtype: inputs[0]!.dtype };
  const name = node.types.length > 1 ? `${node.name}:${output}` : node.name;
  const label = node.declared[output]?.name ?? name;
  const activation = options.activation ?? 'none';
  const clip = clipOf(activation, type);
  const given = [givenType(kind, inputs, attrs, type, node.declared[output]?.shape ?? [])];
  checkFactors(kind, inputs, given[0]);
  if (activation === 'tanh') {
    if (type.quant)
      throw new TidemarkError('operator-unsupported', 'a fused TANH on quantised values is not supported');
    const core = node.builder.op(kind, inputs, attrs, { name, given });
    return node.builder.op(
      'Tanh',
      [core],
      {},
      { name: `${name}:tanh`, outputNames: [label], given: [{ ...given[0], shape: core.shape }] },
    );
  }
  return node.builder.op(kind, inputs, attrs, {
    name,
    outputNames: [label],
    given,
    epilogue: clip ? [clip] : undefined,
  });
}

/** Refuses scales of sums of products that TFLite's arithmetic has no factor for. */
function checkFactors(kind: string, [x, w]: readonly (Tensor | undefined)[], to: OutputType): void {
  if (!PRODUCTS.has(kind) || !x?.quant || !w?.quant || !to.quant || to.dtype === 'i32') return;
  fixedFactors(kind, x, w, to, w.quant.scale.length);
}

const PRODUCTS = new Set(['Conv', 'ConvTranspose', 'FullyConnected', 'MatMul']);

/** Adds an operator on the way to the output. Its name is made from the file operator's and `suffix`. */
export function step(
  node: Node,
  suffix: string,
  kind: string,
  inputs: readonly (Tensor | undefined)[],
  attrs: Attributes,
  type?: ElementType,
): Tensor {
  const given = type ? [givenType(kind, inputs, attrs, type, inputs[0]!.shape)] : undefined;
  return node.builder.op(kind, inputs, attrs, { name: `${node.name}:${suffix}`, given });
}

/**
 * The declared type with the shape that follows from the inputs: files exported with open dimensions declare
 * placeholder shapes, and a caller may have set other input shapes.
 */
function givenType(
  kind: string,
  inputs: readonly (Tensor | undefined)[],
  attrs: Attributes,
  type: ElementType,
  declared: readonly number[],
): OutputType {
  const def = definitionOf(kind);
  if (def.unary) return { ...type, shape: inputs[0]!.shape };
  const [inferred] = def.infer(inputs, attrs, [{ ...type, shape: declared }]);
  return { ...type, shape: inferred.shape };
}

/** The clamp of a fused activation; undefined where it changes nothing, as when the type cannot hold less or more. */
export function clipOf(activation: Activation, type: ElementType): Epilogue | undefined {
  const bounds = boundsOf(activation);
  if (!bounds || !clamps(bounds, type)) return undefined;
  return { kind: 'Clip', attrs: { min: bounds[0], max: bounds[1] }, from: type, to: type };
}

/** Bounds of a clamping activation in real values; null is open. */
export function boundsOf(activation: Activation): readonly [number, number | null] | undefined {
  switch (activation) {
    case 'relu':
      return [0, null];
    case 'relu6':
      return [0, 6];
    case 'relu-n1-to-1':
      return [-1, 1];
    case 'none':
    case 'tanh':
      return undefined;
    default:
      throw new TidemarkError('operator-unsupported', `the fused activation ${activation} is not supported`);
  }
}

function clamps([min, max]: readonly [number, number | null], type: ElementType): boolean {
  if (!type.quant) return true;
  const [lowest, highest] = integerRange(type.dtype);
  const stored = (x: number) => type.quant!.zeroPoint[0] + Math.round(x / type.quant!.scale[0]);
  return stored(min) > lowest || (max !== null && stored(max) < highest);
}
