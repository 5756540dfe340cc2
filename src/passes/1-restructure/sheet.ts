/** The graph that a tiling makes, while it is being made. */
import { type Graph, lazyConstant, type Operator, type Tensor, type TensorId } from '../../graph/graph.ts';
import { evaluate } from '../../ops/evaluate.ts';
import { definitionOf } from '../../ops/registry.ts';
import type { Box } from './interval.ts';

/** A part of a tensor that is a tensor by itself. */
export interface Piece {
  readonly id: TensorId;
  readonly box: Box;
}

/** The tensors and operators of the new graph. Tensors of the old one keep their ids. */
export class Sheet {
  readonly #graph: Graph;
  readonly #tensors: Tensor[];
  readonly #operators: Operator[] = [];
  /** By operator: the one of the old graph that it does the work of, where it is one. */
  readonly #origins: (number | undefined)[] = [];
  readonly #apart = new Map<TensorId, readonly Piece[]>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#tensors = [...graph.tensors];
  }

  keep(id: number, copied: boolean): void {
    const op = this.#graph.operators[id];
    for (const t of op.inputs) this.joined(t);
    if (copied) this.add({ ...op, inputs: op.inputs.map((t, i) => copy(this, t, String(i))) }, id);
    else this.add(op, id);
  }

  /** Leaves a tensor in pieces: bands of rows. */
  leave(id: TensorId, pieces: readonly Piece[]): void {
    this.#apart.set(id, pieces);
  }

  piecesOf(id: TensorId): readonly Piece[] | undefined {
    return this.#apart.get(id);
  }

  /** Joins a tensor that is in pieces, for who needs it whole. */
  joined(id: TensorId): void {
    const pieces = this.#apart.get(id);
    if (!pieces) return;
    this.#apart.delete(id);
    const t = this.#tensors[id];
    join(
      this,
      t,
      pieces.map((p) => p.id),
      1,
      t.name,
      id,
    );
  }

  add(op: Omit<Operator, 'id'>, origin?: number): void {
    this.#origins.push(origin);
    this.#operators.push({ ...op, id: this.#operators.length });
  }

  /** A tensor of the type of another. */
  like(t: Tensor, name: string, shape: readonly number[]): TensorId {
    const { dtype, quant } = t;
    return this.tensor({ name, shape, dtype, ...(quant ? { quant } : {}) });
  }

  tensor(t: Omit<Tensor, 'id'>): TensorId {
    this.#tensors.push({ ...t, id: this.#tensors.length });
    return this.#tensors.length - 1;
  }

  /** A part of a constant, made when it is asked for. */
  constantPart(from: TensorId, name: string, starts: readonly number[], sizes: readonly number[]): TensorId {
    const t = this.#tensors[from];
    const attrs = { starts, steps: starts.map(() => 1), sizes };
    const [type] = definitionOf('Slice').infer([t], attrs);
    const out: Tensor = {
      id: 0,
      name,
      shape: sizes,
      dtype: t.dtype,
      ...(type.quant ? { quant: type.quant } : {}),
    };
    const op = { id: 0, name, kind: 'Slice', inputs: [from], outputs: [0], attrs };
    const context = { op, inputs: [t], outputs: [out], dialect: this.#graph.dialect };
    return this.tensor({ ...out, constant: lazyConstant(() => evaluate(context, [t.constant!.load()])[0]) });
  }

  at(id: TensorId): Tensor {
    return this.#tensors[id];
  }

  /** The operator of the old graph that this one of the new does the work of, wholly or in part. */
  originOf(op: Operator): number | undefined {
    return this.#origins[op.id];
  }

  graph(): Graph {
    return { ...this.#graph, tensors: this.#tensors, operators: this.#operators };
  }
}

/** Parts side by side along an axis, as a new tensor or as one that is there already. */
export function join(
  sheet: Sheet,
  like: Tensor,
  parts: readonly TensorId[],
  axis: 1 | 2,
  name: string,
  into?: TensorId,
): TensorId {
  const first = sheet.at(parts[0]);
  const length = parts.reduce((n, id) => n + sheet.at(id).shape[axis], 0);
  const shape = first.shape.map((d, k) => (k === axis ? length : d));
  const id = into ?? sheet.like(like, name, shape);
  sheet.add({ name: `${name}/join`, kind: 'Concat', inputs: parts, outputs: [id], attrs: { axis } });
  return id;
}

/** A tensor's values once more, in memory of their own. */
export function copy(sheet: Sheet, from: TensorId, label: string): TensorId {
  const t = sheet.at(from);
  const name = `${t.name}/copy${label}`;
  const id = sheet.like(t, name, t.shape);
  sheet.add({ name, kind: 'Copy', inputs: [from], outputs: [id], attrs: {} });
  return id;
}
