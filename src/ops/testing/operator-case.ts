/** Small cases for tests of operators: seeded random inputs, a context with inferred outputs, a whole run. */
import {
  type Attributes,
  allocate,
  constantOf,
  type Dialect,
  type ElementType,
  type Epilogue,
  elementCount,
  type Tensor,
  type TypedArray,
} from '../../graph/graph.ts';
import { uniformNumbers } from '../../seeded.ts';
import { evaluate } from '../evaluate.ts';
import type { OpContext, OperatorDef, OutputType } from '../operator.ts';

export interface CaseInput {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly values: TypedArray;
  /** A weight: known before the run. */
  readonly constant?: boolean;
}

export interface OperatorCase {
  readonly inputs: readonly (CaseInput | undefined)[];
  readonly attrs: Attributes;
  readonly dialect?: Dialect;
  readonly given?: readonly OutputType[];
  readonly epilogue?: readonly Epilogue[];
}

export type Random = () => number;

/** Seeded uniform numbers in [0, 1). */
export function seeded(seed: number): Random {
  return uniformNumbers(Math.imul(seed + 1, 0x9e3779b1) | 1);
}

/** A whole number from `least` to `greatest`, both possible. */
export function pick(random: Random, least: number, greatest: number): number {
  return least + Math.floor(random() * (greatest - least + 1));
}

/** Random values: floats in [-1, 1), integers over their type's range (int32: +-1000). */
export function randomValues(random: Random, type: ElementType, count: number): TypedArray {
  const values = allocate(type.dtype, count);
  for (let i = 0; i < count; i++) values[i] = randomValue(random, type);
  return values;
}

function randomValue(random: Random, { dtype }: ElementType): number {
  switch (dtype) {
    case 'f32':
      return random() * 2 - 1;
    case 'i32':
      return pick(random, -1000, 1000);
    case 'i16':
      return pick(random, -32768, 32767);
    case 'i8':
      return pick(random, -128, 127);
    case 'bool':
      return pick(random, 0, 1);
    default:
      return pick(random, 0, 255);
  }
}

/** A random input of a case. */
export function randomInput(
  random: Random,
  shape: readonly number[],
  type: ElementType = { dtype: 'f32' },
  constant = false,
): CaseInput {
  return { shape, type, values: randomValues(random, type, elementCount(shape)), constant };
}

/** The context of a case: its tensors, with output types inferred. */
export function contextFor<A extends Attributes>(def: OperatorDef<A>, given: OperatorCase): OpContext<A> {
  const inputs = given.inputs.map(
    (input, id): Tensor | undefined =>
      input && {
        id,
        name: `input ${id}`,
        shape: input.shape,
        ...input.type,
        ...(input.constant ? { constant: constantOf(input.values) } : {}),
      },
  );
  const attrs = given.attrs as A;
  const outputs = def
    .infer(inputs, attrs, given.given)
    .map((type, i): Tensor => ({ id: inputs.length + i, name: `output ${i}`, ...type }));
  const op = {
    id: 0,
    name: 'case',
    kind: def.kind,
    inputs: inputs.map((t) => t?.id ?? -1),
    outputs: outputs.map((t) => t.id),
    attrs,
    ...(given.epilogue ? { epilogue: given.epilogue } : {}),
  };
  return { op, inputs, outputs, dialect: given.dialect ?? 'onnx' };
}

/** The whole run. `def` must be registered. */
export function runWhole<A extends Attributes>(def: OperatorDef<A>, given: OperatorCase): TypedArray[] {
  return evaluate(
    contextFor(def, given) as OpContext,
    given.inputs.map((i) => i?.values),
  );
}
