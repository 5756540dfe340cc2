/** A zoo graph as the rows of a topology table, and a digest of them. */
import type { Graph, Operator } from '../../graph/graph.ts';
import { contextOf, definitionOf } from '../../ops/registry.ts';
import { seedOf } from '../seed.ts';

export interface Layer {
  readonly name: string;
  readonly kind: string;
  /** Rows of the table that this one reads; 0 is the input. */
  readonly inputs: readonly number[];
  /** Height, width, channels. */
  readonly out: readonly number[];
  readonly kernel?: readonly number[];
  readonly stride?: readonly number[];
  readonly pads?: readonly number[];
  readonly macs: number;
}

const KINDS: Readonly<Record<string, string>> = {
  ConvTranspose: 'deconv',
  MaxPool: 'pool',
  AveragePool: 'pool',
  ReduceMean: 'gap',
  FullyConnected: 'fc',
  Add: 'add',
  Concat: 'cat',
  Resize: 'up',
  DepthToSpace: 'd2s',
};

function kindOf(graph: Graph, op: Operator): string {
  if (op.kind !== 'Conv') return KINDS[op.kind] ?? op.kind;
  const channels = graph.tensors[op.inputs[0]].shape[3];
  return op.attrs.groups === channels && channels > 1 ? 'dw' : 'conv';
}

const picture = (shape: readonly number[]) => (shape.length === 4 ? shape.slice(1) : [1, 1, shape[1]]);

export function layersOf(graph: Graph): Layer[] {
  const row = new Map<number, number>([[graph.inputs[0].tensor, 0]]);
  const rows: Layer[] = [
    {
      name: 'input0',
      kind: 'input',
      inputs: [],
      out: picture(graph.tensors[graph.inputs[0].tensor].shape),
      macs: 0,
    },
  ];
  for (const op of graph.operators) {
    row.set(op.outputs[0], rows.length);
    const weight = graph.tensors[op.inputs[1]];
    const { attrs, name } = op;
    rows.push({
      name,
      kind: kindOf(graph, op),
      inputs: op.inputs.filter((id) => row.has(id)).map((id) => row.get(id)!),
      out: picture(graph.tensors[op.outputs[0]].shape),
      kernel:
        (attrs.kernel as number[]) ?? (weight?.shape.length === 4 ? weight.shape.slice(1, 3) : undefined),
      stride: attrs.stride as number[] | undefined,
      pads: attrs.pads as number[] | undefined,
      macs: definitionOf(op.kind).macs(contextOf(graph, op)),
    });
  }
  return rows;
}

/** Layers, MACs, and a hash over every row. */
export function digestOf(rows: readonly Layer[]): string {
  const macs = rows.reduce((sum, r) => sum + r.macs, 0);
  return `${rows.length} ${macs} ${(seedOf(JSON.stringify(rows)) >>> 0).toString(16)}`;
}
