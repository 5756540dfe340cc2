/**
 * Changes a graph step by step: the tool of every graph-to-graph pass. It keeps who writes and who reads each
 * tensor, drops what becomes unread, and gives back a graph in execution order. The graph it starts from is
 * never touched; when nothing was changed, that same graph comes back.
 */
import { TidemarkError } from '../errors.ts';
import { evaluate } from '../ops/evaluate.ts';
import type { OutputType } from '../ops/operator.ts';
import { definitionOf } from '../ops/registry.ts';
import { prune } from './builder.ts';
import {
  ABSENT,
  type Attributes,
  type Constant,
  type Dialect,
  type ElementType,
  type Epilogue,
  type Graph,
  lazyConstant,
  type Operator,
  type Port,
  type Tensor,
  type TensorId,
  type TypedArray,
} from './graph.ts';

export interface AddOptions {
  /** The operator that the new one stands for: it gets its name, its output's name and its place in the order. */
  readonly like?: Operator;
  /** Type of the output where the operator does not follow from its inputs (Quantize and the like). */
  readonly given?: OutputType;
  readonly epilogue?: readonly Epilogue[];
}

export class GraphEdit {
  readonly dialect: Dialect;
  readonly #graph: Graph;
  readonly #tensors: Tensor[];
  readonly #operators: Set<Operator>;
  /** Place of an operator in the graph's order; one that replaces another keeps its place. */
  readonly #rank = new Map<Operator, number>();
  readonly #inputs: Port[];
  readonly #outputs: Port[];
  readonly #producer = new Map<TensorId, Operator>();
  readonly #readers = new Map<TensorId, Set<Operator>>();
  #changed = false;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.dialect = graph.dialect;
    this.#tensors = [...graph.tensors];
    this.#operators = new Set(graph.operators);
    this.#inputs = [...graph.inputs];
    this.#outputs = [...graph.outputs];
    graph.operators.forEach((op, i) => {
      this.#rank.set(op, i);
      this.#link(op);
    });
  }

  /** The operators of this moment, older ones first. Those removed later answer false to `alive`. */
  operators(): Operator[] {
    return [...this.#operators];
  }

  alive(op: Operator): boolean {
    return this.#operators.has(op);
  }

  tensor(id: TensorId): Tensor {
    return this.#tensors[id];
  }

  /** The tensor of input `index`; undefined where it is absent. */
  input(op: Operator, index: number): Tensor | undefined {
    const id = op.inputs[index];
    return id === undefined || id === ABSENT ? undefined : this.#tensors[id];
  }

  /** The first output of an operator. */
  output(op: Operator): Tensor {
    return this.#tensors[op.outputs[0]];
  }

  producer(id: TensorId): Operator | undefined {
    return this.#producer.get(id);
  }

  readers(id: TensorId): readonly Operator[] {
    return [...(this.#readers.get(id) ?? [])];
  }

  isOutput(id: TensorId): boolean {
    return this.#outputs.some((p) => p.tensor === id);
  }

  inputPort(id: TensorId): Port | undefined {
    return this.#inputs.find((p) => p.tensor === id);
  }

  outputPorts(id: TensorId): readonly Port[] {
    return this.#outputs.filter((p) => p.tensor === id);
  }

  /** The one operator that reads a tensor, once, when no graph output shows it; else undefined. */
  soleReader(id: TensorId): Operator | undefined {
    const readers = this.#readers.get(id);
    if (readers?.size !== 1 || this.isOutput(id)) return undefined;
    const [only] = readers;
    return only.inputs.filter((t) => t === id).length === 1 ? only : undefined;
  }

  /** A new tensor that no operator writes yet. */
  newTensor(name: string, shape: readonly number[], type: ElementType, constant?: Constant): TensorId {
    const id = this.#tensors.length;
    this.#tensors.push({ id, name, shape: [...shape], dtype: type.dtype, quant: type.quant, constant });
    return id;
  }

  /** A constant computed on first use. */
  constant(name: string, shape: readonly number[], type: ElementType, make: () => TypedArray): TensorId {
    return this.newTensor(name, shape, type, lazyConstant(make));
  }

  /** A new operator with one new output. When all its inputs are constant, only the (lazy) result is added. */
  add(kind: string, inputs: readonly TensorId[], attrs: Attributes = {}, options: AddOptions = {}): TensorId {
    const tensors = inputs.map((id) => (id === ABSENT ? undefined : this.#tensors[id]));
    const given = options.given ? [options.given] : undefined;
    const [type] = definitionOf(kind).infer(tensors, attrs, given);
    const { like } = options;
    const name = like?.name ?? `${tensors[0]?.name ?? ''}/${kind}`;
    const id = this.newTensor(like ? this.#tensors[like.outputs[0]].name : name, type.shape, type);
    const op: Operator = { id: -1, name, kind, inputs: [...inputs], outputs: [id], attrs };
    const complete = options.epilogue?.length ? { ...op, epilogue: options.epilogue } : op;
    if (tensors.length > 0 && tensors.every((t) => !t || t.constant)) {
      this.#tensors[id] = { ...this.#tensors[id], constant: this.#folded(complete, tensors, 0) };
    } else {
      if (like) this.#inherit(like, complete);
      this.#insert(complete);
    }
    return id;
  }

  /** Adds an operator as it is, whatever its inputs; nobody else may write its outputs. */
  insert(op: Operator): void {
    this.#insert(op);
  }

  /** Turns an operator whose inputs are all constant into constants. */
  fold(op: Operator): void {
    const tensors = op.inputs.map((id) => (id === ABSENT ? undefined : this.#tensors[id]));
    op.outputs.forEach((id, i) => {
      this.#tensors[id] = { ...this.#tensors[id], constant: this.#folded(op, tensors, i) };
    });
    this.#delete(op);
  }

  /** Puts a changed operator in the place of another. Tensors that it no longer reads may vanish. */
  replace(
    op: Operator,
    change: Partial<Pick<Operator, 'kind' | 'inputs' | 'outputs' | 'attrs' | 'epilogue'>>,
  ): Operator {
    const next: Operator = { ...op, ...change };
    this.#unlink(op);
    this.#operators.delete(op);
    this.#inherit(op, next);
    this.#insert(next);
    for (const id of op.inputs) this.#sweep(id);
    return next;
  }

  /** Removes an operator. Its outputs must be unread, or be written by another from now on. */
  remove(op: Operator): void {
    this.#delete(op);
  }

  /** Everything that read `from`, and the graph outputs that showed it, now use `to`. */
  redirect(from: TensorId, to: TensorId): void {
    this.#changed = true;
    for (const op of this.readers(from)) {
      this.#unlink(op);
      this.#operators.delete(op);
      const next = { ...op, inputs: op.inputs.map((t) => (t === from ? to : t)) };
      this.#inherit(op, next);
      this.#operators.add(next);
      this.#link(next);
    }
    this.#outputs.forEach((p, i) => {
      if (p.tensor === from) this.#outputs[i] = { ...p, tensor: to };
    });
    this.#sweep(from);
  }

  /** Shows another tensor at a graph input or output, laid out by `perm`. The port's name and shape stay. */
  rebindPort(port: Port, tensor: TensorId, perm: readonly number[] | undefined): void {
    this.#changed = true;
    const { perm: _old, ...rest } = port;
    const next: Port = perm ? { ...rest, tensor, perm } : { ...rest, tensor };
    for (const ports of [this.#inputs, this.#outputs]) {
      const at = ports.indexOf(port);
      if (at >= 0) ports[at] = next;
    }
    this.#sweep(port.tensor);
  }

  /** The graph as it is now, in execution order and without what no output needs. */
  finish(): Graph {
    if (!this.#changed) return this.#graph;
    return prune({
      name: this.#graph.name,
      dialect: this.dialect,
      tensors: this.#tensors,
      operators: this.#ordered(),
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }

  #folded(op: Operator, inputs: readonly (Tensor | undefined)[], index: number): Constant {
    const outputs = op.outputs.map((id) => this.#tensors[id]);
    const { dialect } = this;
    return lazyConstant(
      () =>
        evaluate(
          { op, inputs, outputs, dialect },
          inputs.map((t) => t?.constant?.load()),
        )[index],
    );
  }

  #inherit(op: Operator, next: Operator): void {
    const rank = this.#rank.get(op);
    if (rank !== undefined) this.#rank.set(next, rank);
  }

  #insert(op: Operator): void {
    this.#changed = true;
    this.#operators.add(op);
    this.#link(op);
  }

  #delete(op: Operator): void {
    this.#changed = true;
    this.#unlink(op);
    this.#operators.delete(op);
    for (const id of op.inputs) this.#sweep(id);
  }

  /** Drops the producer of a tensor that nobody needs any more, and so on upwards. */
  #sweep(start: TensorId): void {
    const pending = [start];
    while (pending.length > 0) {
      const id = pending.pop()!;
      if (id === ABSENT) continue;
      const op = this.#producer.get(id);
      if (!op?.outputs.every((t) => !this.#readers.get(t)?.size && !this.isOutput(t))) continue;
      this.#unlink(op);
      this.#operators.delete(op);
      pending.push(...op.inputs);
    }
  }

  #link(op: Operator): void {
    for (const id of op.outputs) this.#producer.set(id, op);
    for (const id of op.inputs) {
      if (id === ABSENT) continue;
      const readers = this.#readers.get(id);
      if (readers) readers.add(op);
      else this.#readers.set(id, new Set([op]));
    }
  }

  #unlink(op: Operator): void {
    for (const id of op.outputs) if (this.#producer.get(id) === op) this.#producer.delete(id);
    for (const id of op.inputs) this.#readers.get(id)?.delete(op);
  }

  /** Producers before readers, otherwise in the order of the graph; new ones just before who reads them. Iterative: networks may be deep. */
  #ordered(): Operator[] {
    const done = new Set<Operator>();
    const open = new Set<Operator>();
    const result: Operator[] = [];
    const rank = (op: Operator) => this.#rank.get(op) ?? Number.MAX_SAFE_INTEGER;
    for (const root of [...this.#operators].sort((a, b) => rank(a) - rank(b))) {
      const stack = [root];
      while (stack.length > 0) {
        const op = stack[stack.length - 1];
        if (done.has(op)) {
          stack.pop();
          continue;
        }
        const before = op.inputs
          .map((id) => this.#producer.get(id))
          .filter((p) => p && !done.has(p)) as Operator[];
        if (before.length === 0) {
          done.add(op);
          open.delete(op);
          result.push(op);
          stack.pop();
        } else {
          if (open.has(op) && before.some((p) => open.has(p))) {
            throw new TidemarkError('graph-cyclic', `operator ${op.name}: it depends on its own output`);
          }
          open.add(op);
          stack.push(...before.reverse());
        }
      }
    }
    return result;
  }
}
