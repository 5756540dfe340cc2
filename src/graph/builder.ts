/**
 * Builds a graph operator by operator, inferring shapes and types as it goes. Operators whose inputs are all
 * constants become constants themselves (evaluated on first use), so shape arithmetic vanishes here.
 */
import { TidemarkError, within } from '../errors.ts';
import { withinLimit } from '../limits.ts';
import { evaluate } from '../ops/evaluate.ts';
import type { OutputType } from '../ops/operator.ts';
import { definitionOf } from '../ops/registry.ts';
import {
  ABSENT,
  type Attributes,
  type Constant,
  constantOf,
  type Dialect,
  type ElementType,
  type Epilogue,
  elementCount,
  type Graph,
  lazyConstant,
  type Operator,
  type Port,
  type Tensor,
  type TypedArray,
} from './graph.ts';

export interface OperatorOptions {
  readonly name?: string;
  /** Names of the outputs; the operator's name where left out. */
  readonly outputNames?: readonly string[];
  /** Output types the file declares. */
  readonly given?: readonly OutputType[];
  readonly epilogue?: readonly Epilogue[];
  /** Keep the operator even when all its inputs are constant. */
  readonly keep?: boolean;
}

/** Largest tensor that is accepted on the way: beyond it no byte count is exact. What is planned is far smaller. */
const MAX_ELEMENTS = 2 ** 40;

/** The most rows of nothing: a tensor without elements has no bytes that could be too many. */
const MAX_EMPTY = 2 ** 20;

export class GraphBuilder {
  readonly name: string;
  readonly dialect: Dialect;
  readonly #tensors: Tensor[] = [];
  readonly #operators: Operator[] = [];
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  #madeElements = 0;

  constructor(name: string, dialect: Dialect) {
    this.name = name;
    this.dialect = dialect;
  }

  /** A tensor that no operator here produces: a graph input, or the start of a constant. */
  tensor(name: string, shape: readonly number[], type: ElementType, constant?: Constant): Tensor {
    const most = elementCount(shape) === 0 ? MAX_EMPTY : MAX_ELEMENTS;
    const count = shape.reduce((n, d) => n * Math.max(d, 1), 1);
    if (!shape.every((d) => Number.isInteger(d) && d >= 0) || count > most) {
      throw new TidemarkError('shape-mismatch', `tensor ${name}: the shape [${shape}] cannot be held`);
    }
    const tensor: Tensor = {
      id: this.#tensors.length,
      name,
      shape: [...shape],
      dtype: type.dtype,
      quant: type.quant,
      constant,
    };
    this.#tensors.push(tensor);
    return tensor;
  }

  /** A constant from values at hand. */
  constant(name: string, shape: readonly number[], values: TypedArray, type?: ElementType): Tensor {
    return this.tensor(name, shape, type ?? { dtype: dtypeOf(values) }, constantOf(values));
  }

  /** A graph input as the file sees it. `shape` and `perm` are the port's; the tensor gets the permuted shape. */
  input(port: Omit<Port, 'tensor'>, type: ElementType, shape?: readonly number[]): Tensor {
    const inner = shape ?? (port.perm ? port.perm.map((axis) => port.shape[axis]) : port.shape);
    const tensor = this.tensor(port.name, inner, type);
    this.#inputs.push({ ...port, tensor: tensor.id });
    return tensor;
  }

  output(tensor: Tensor, port: Omit<Port, 'tensor'>): void {
    this.#outputs.push({ ...port, tensor: tensor.id });
  }

  /** Adds an operator with one output and returns that output. */
  op(
    kind: string,
    inputs: readonly (Tensor | undefined)[],
    attrs: Attributes = {},
    options: OperatorOptions = {},
  ): Tensor {
    return this.ops(kind, inputs, attrs, options)[0];
  }

  /** Adds an operator and returns its outputs. */
  ops(
    kind: string,
    inputs: readonly (Tensor | undefined)[],
    attrs: Attributes = {},
    options: OperatorOptions = {},
  ): Tensor[] {
    const name = options.name ?? `${kind}_${this.#operators.length}`;
    const types = within(`operator ${name} (${kind})`, () =>
      definitionOf(kind).infer(inputs, attrs, options.given),
    );
    const fold = !options.keep && inputs.length > 0 && inputs.every((t) => !t || t.constant);
    const outputs = types.map((type, i) =>
      this.tensor(options.outputNames?.[i] ?? (types.length > 1 ? `${name}:${i}` : name), type.shape, type),
    );
    const op: Operator = {
      id: this.#operators.length,
      name,
      kind,
      inputs: inputs.map((t) => t?.id ?? ABSENT),
      outputs: outputs.map((t) => t.id),
      attrs,
      ...(options.epilogue?.length ? { epilogue: options.epilogue } : {}),
    };
    if (!fold) {
      this.#operators.push(op);
      return outputs;
    }
    const elements = (list: readonly (Tensor | undefined)[]) =>
      list.reduce((n, t) => n + (t ? elementCount(t.shape) : 0), 0);
    this.#madeElements += Math.max(0, elements(outputs) - elements(inputs));
    const what = `operator ${name} (${kind}): constants made on import come to ${this.#madeElements} elements`;
    withinLimit('madeElements', this.#madeElements, 'shape-too-large', what);
    let values: TypedArray[] | undefined;
    const compute = () => {
      values ??= evaluate(
        { op, inputs, outputs, dialect: this.dialect },
        inputs.map((t) => t?.constant?.load()),
      );
      return values;
    };
    return outputs.map((t, i) => {
      const folded: Tensor = { ...t, constant: lazyConstant(() => compute()[i]) };
      this.#tensors[t.id] = folded;
      return folded;
    });
  }

  /** The finished graph, without what no output needs. */
  build(): Graph {
    return prune({
      name: this.name,
      dialect: this.dialect,
      tensors: this.#tensors,
      operators: this.#operators,
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }
}

/** The dtype whose typed array this is. */
export function dtypeOf(values: TypedArray): Tensor['dtype'] {
  if (values instanceof Float32Array) return 'f32';
  if (values instanceof Int32Array) return 'i32';
  if (values instanceof Int16Array) return 'i16';
  if (values instanceof Int8Array) return 'i8';
  return 'u8';
}

/** The graph without operators and tensors that no output depends on, ids renumbered. Inputs stay. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((p) => p.tensor));
  const kept: Operator[] = [];
  for (let i = graph.operators.length - 1; i >= 0; i--) {
    const op = graph.operators[i];
    if (!op.outputs.some((t) => needed.has(t))) continue;
    kept.push(op);
    for (const t of op.inputs) if (t !== ABSENT) needed.add(t);
    for (const t of op.outputs) needed.add(t);
  }
  for (const p of graph.inputs) needed.add(p.tensor);
  const renumbered = new Map<number, number>();
  const tensors: Tensor[] = [];
  for (const t of graph.tensors) {
    if (!needed.has(t.id)) continue;
    renumbered.set(t.id, tensors.length);
    tensors.push({ ...t, id: tensors.length });
  }
  const at = (id: number) => (id === ABSENT ? ABSENT : renumbered.get(id)!);
  return {
    name: graph.name,
    dialect: graph.dialect,
    tensors,
    operators: kept
      .reverse()
      .map((op, id) => ({ ...op, id, inputs: op.inputs.map(at), outputs: op.outputs.map(at) })),
    inputs: graph.inputs.map((p) => ({ ...p, tensor: at(p.tensor) })),
    outputs: graph.outputs.map((p) => ({ ...p, tensor: at(p.tensor) })),
  };
}
