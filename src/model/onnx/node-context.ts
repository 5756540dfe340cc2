/** What an importer of one ONNX operator gets, and the steps that most importers consist of. */
import { TidemarkError } from '../../errors.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import {
  type Attributes,
  elementCount,
  type Quantisation,
  type Tensor,
  type TypedArray,
} from '../../graph/graph.ts';
import { type LimitName, withinLimit } from '../../limits.ts';
import type { OutputType } from '../../ops/operator.ts';
import type { NodeAttributes } from './attributes.ts';
import { type FileType, fileTypeNamed } from './element-type.ts';
import { lastPerm } from './layout.ts';
import type { TensorProto } from './schema.ts';
import type { TensorData } from './tensor-data.ts';
import {
  constantValues,
  isConstant,
  liesIn,
  type Order,
  place,
  preferredOrder,
  reshaped,
  sourceOf,
  tensorValue,
  type Value,
} from './value.ts';

/** One node while it is being imported. */
export interface NodeContext {
  readonly b: GraphBuilder;
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  /** Version of the node's operator set. */
  readonly opset: number;
  readonly attrs: NodeAttributes;
  /** Optional inputs that are left out are undefined. */
  readonly inputs: readonly (Value | undefined)[];
  /** Names of the outputs; '' for one that is left out. */
  readonly outputs: readonly string[];
  /** Values of a tensor attribute. */
  tensorOf(tensor: TensorProto): TensorData;
}

/** Imports a node: gives its outputs, the first ones at least. */
export type Importer = (c: NodeContext) => readonly Value[];

/** Input `index`, which must be there. */
export function input(c: NodeContext, index: number): Value {
  const value = c.inputs[index];
  if (!value) throw new TidemarkError('graph-invalid', `input ${index} is missing`);
  return value;
}

/**
 * Numbers of a constant input; undefined when the input is left out. `limit` is of how many, where they are not in the file:
 * one of some bytes can have any number of those.
 */
export function constantInput(
  c: NodeContext,
  index: number,
  what: string,
  limit: LimitName = 'parameterNumbers',
): TypedArray | undefined {
  const value = c.inputs[index];
  if (!value) return undefined;
  if (!isConstant(value)) {
    throw new TidemarkError(
      'shape-dynamic',
      `${what} (input "${value.name}") is only known at run time; it must be a constant or follow from shapes`,
    );
  }
  const count = countOf(value);
  if (value.source.tensor.constant?.made)
    withinLimit(limit, count, 'shape-too-large', `${what} (input "${value.name}") has ${count} numbers`);
  return constantValues(c.b, value);
}

/** Integers that newer operator sets give as an input and older ones as an attribute. */
export function integers(c: NodeContext, name: string, index: number): number[] | undefined {
  const values = constantInput(c, index, name);
  return values ? Array.from(values) : c.attrs.ints(name);
}

/** An axis that may count from the end. */
export function axisIn(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(positive) || positive < 0 || positive >= Math.max(rank, 1)) {
    throw new TidemarkError('operator-invalid', `axis ${axis} does not exist in a value of rank ${rank}`);
  }
  return positive;
}

/** A small constant that the importer makes. */
export function constant(c: NodeContext, shape: readonly number[], values: TypedArray, type = 'f32'): Value {
  return tensorValue(c.b.constant(`${c.name}/constant`, shape, values), fileTypeNamed(type));
}

export function scalar(c: NodeContext, x: number): Value {
  return constant(c, [], Float32Array.of(x));
}

/** Where axis `axis` of the file stands in a tensor of the given order. */
export function placed(axis: number, rank: number, order: Order): number {
  return order === 'file' ? axis : lastPerm(rank).indexOf(axis);
}

/** A list with an entry for each axis of the file, in the given order. */
export function placedList<T>(list: readonly T[], order: Order): T[] {
  return order === 'file' ? [...list] : lastPerm(list.length).map((axis) => list[axis]);
}

/** The order for an operator that does not mind: what costs nothing for the most demanding input. */
export function orderFor(values: readonly Value[], rank: number): Order {
  if (rank !== 3 && rank !== 4) return 'file';
  const votes = values.filter((v) => v.shape.length === rank && !isConstant(v));
  if (votes.some((v) => liesIn(v, 'last') && !liesIn(v, 'file'))) return 'last';
  if (votes.some((v) => liesIn(v, 'file') && !liesIn(v, 'last'))) return 'file';
  return votes.length > 0 ? preferredOrder(votes[0]) : 'file';
}

export interface EmitOptions {
  readonly order?: Order;
  readonly type: FileType;
  readonly given?: OutputType;
  /** Which of the node's outputs this is; an intermediate value otherwise. */
  readonly output?: number | string;
}

/** Adds an operator with one output whose dimensions lie in `order`. */
export function emit(
  c: NodeContext,
  kind: string,
  inputs: readonly (Tensor | undefined)[],
  attrs: Attributes,
  { order = 'file', type, given, output = 0 }: EmitOptions,
): Value {
  const intermediate = typeof output === 'string';
  const name = intermediate ? `${c.name}/${output}` : c.outputs.length > 1 ? `${c.name}:${output}` : c.name;
  const tensorName = intermediate ? name : c.outputs[output] || name;
  const tensor = c.b.op(kind, inputs, attrs, {
    name,
    outputNames: [tensorName],
    given: given ? [given] : undefined,
  });
  return tensorValue(tensor, type, order);
}

/** An elementwise function of one value: applied wherever the value lies. */
export function mapped(
  c: NodeContext,
  kind: string,
  value: Value,
  attrs: Attributes = {},
  {
    type = value.type,
    dtype,
    quant,
    output = 0,
  }: { type?: FileType; dtype?: OutputType['dtype']; quant?: Quantisation; output?: number | string } = {},
): Value {
  const x = value.dequantise ? tensorValue(place(c.b, value, 'file'), value.type) : value;
  const tensor = x.source.tensor;
  const given = dtype ? { shape: tensor.shape, dtype, quant } : undefined;
  const made = emit(c, kind, [tensor], attrs, { type, given, output });
  return { ...made, shape: x.shape, view: x.view, source: made.source };
}

/** The value as a tensor of `rank` dimensions in an order, ones put in front as broadcasting does. */
export function placeRanked(c: NodeContext, value: Value, rank: number, order: Order): Tensor {
  if (value.shape.length >= rank) return place(c.b, value, order);
  const ones: number[] = new Array(rank - value.shape.length).fill(1);
  return place(c.b, reshaped(c.b, value, [...ones, ...value.shape]), order);
}

/**
 * The tensors themselves, where all values are scattered in memory in one and the same way: then elements that
 * belong together lie at the same place. Single numbers go with everything.
 */
function scatteredAlike(c: NodeContext, values: readonly Value[]): Tensor[] | undefined {
  const whole = values.filter((v) => countOf(v) > 1);
  const [first] = whole;
  if (!first || whole.some((v) => isConstant(v) || v.dequantise)) return undefined;
  if (liesIn(first, 'file') || liesIn(first, 'last')) return undefined;
  if (values.some((v) => v.shape.length > first.shape.length)) return undefined;
  const form = (v: Value) => JSON.stringify([v.view, v.source.tensor.shape]);
  if (whole.some((v) => form(v) !== form(first))) return undefined;
  const ones = first.source.tensor.shape.map(() => 1);
  return values.map((v) => (countOf(v) > 1 ? v.source.tensor : place(c.b, reshaped(c.b, v, ones), 'file')));
}

/** An elementwise function of several values that broadcast against each other. */
export function combined(
  c: NodeContext,
  kind: string,
  values: readonly Value[],
  attrs: Attributes = {},
  {
    type = values[0].type,
    given,
    output = 0 as number | string,
  }: { type?: FileType; given?: Omit<OutputType, 'shape'>; output?: number | string } = {},
): Value {
  const alike = given ? undefined : scatteredAlike(c, values);
  if (alike) {
    const { shape, view } = values.find((v) => countOf(v) > 1)!;
    return { ...emit(c, kind, alike, attrs, { type, output }), shape, view };
  }
  const rank = Math.max(...values.map((v) => v.shape.length));
  const order = orderFor(values, rank);
  const tensors = values.map((v) => placeRanked(c, v, rank, order));
  const shape = given ? broadcastShape(tensors.map((t) => t.shape)) : [];
  return emit(c, kind, tensors, attrs, {
    order,
    type,
    output,
    given: given ? { ...given, shape } : undefined,
  });
}

/** Common shape of values that broadcast (numpy's rules). */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    let size = 1;
    for (const s of shapes) {
      const d = s[i - rank + s.length] ?? 1;
      if (d === size || d === 1) continue;
      if (size !== 1) {
        throw new TidemarkError(
          'shape-mismatch',
          `shapes [${shapes.map((x) => x.join(',')).join('] and [')}] do not broadcast`,
        );
      }
      size = d;
    }
    return size;
  });
}

/** A constant under another quantisation, or a dynamic value read as so quantised; the stored numbers stay. */
export function quantisedAs(
  c: NodeContext,
  value: Value,
  scale: readonly number[],
  zeroPoint: readonly number[],
  axis = 0,
): Value {
  const quant = { scale, zeroPoint, axis: scale.length > 1 ? axis : 0 };
  const unmade = value.source.unmade;
  if (unmade && scale.length === 1) {
    unmade.quant = quant;
    void value.source.tensor;
    return value;
  }
  if (isConstant(value)) {
    const tensor = place(c.b, value, 'file');
    const { dtype, constant: values } = tensor;
    return { ...tensorValue(c.b.tensor(value.name, value.shape, { dtype, quant }, values), value.type) };
  }
  const plain = scale.length === 1 ? value : tensorValue(place(c.b, value, 'file'), value.type);
  const tensor = plain.source.tensor;
  if (tensor.quant && sameQuantisation(tensor.quant, quant)) return plain;
  const read = c.b.op(
    'Reshape',
    [tensor],
    { shape: tensor.shape },
    {
      name: `${value.name}/stored`,
      given: [{ shape: tensor.shape, dtype: tensor.dtype, quant }],
    },
  );
  return { ...plain, source: sourceOf(read) };
}

function sameQuantisation(a: Quantisation, b: Quantisation): boolean {
  const same = (x: readonly number[], y: readonly number[]) =>
    x.length === y.length && x.every((v, i) => v === y[i]);
  return same(a.scale, b.scale) && same(a.zeroPoint, b.zeroPoint) && a.axis === b.axis;
}

/** Throws for what an importer knows of and does not do. */
export function refuse(reason: string): never {
  throw new TidemarkError('operator-unsupported', reason);
}

/** A value that is one number for all elements, as that number. */
export function singleNumber(c: NodeContext, index: number, what: string): number | undefined {
  const values = constantInput(c, index, what);
  if (!values) return undefined;
  if (values.length !== 1)
    throw new TidemarkError('operator-invalid', `${what} must be one number, it has ${values.length}`);
  return values[0];
}

export function countOf(value: Value): number {
  return elementCount(value.shape);
}
