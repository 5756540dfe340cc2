/**
 * The CSDF graph of a network. Layers are actors; a graph's inputs and outputs are actors too, which give and take a
 * line a phase. A reshape is no actor: its input flows on under another shape.
 */
import {
  ABSENT,
  channelsOf,
  elementBytes,
  elementCount,
  type Graph,
  type Operator,
  pixelsOf,
  rowPixels,
  type Tensor,
  type TensorId,
} from '../../../graph/graph.ts';
import { contextOf, definitionOf } from '../../../ops/registry.ts';
import { firingsOf } from '../../../plan/firing.ts';
import { rowRun } from '../row-run.ts';
import { evenly, joinRates, type Rates, windowRates } from './lines.ts';
import type { CsdfActor, CsdfEdge, CsdfGraph } from './model.ts';

export interface CsdfOptions {
  /** `exact`: what kernels really read. `ignore`: the authors' model. */
  readonly padding: 'exact' | 'ignore';
  /** By layer (`layersOf`): false where it fires once. Left out: all work by parts. */
  readonly byParts?: readonly boolean[];
}

/** Operators that are actors, in order: what a list of phases refers to. */
export function layersOf(graph: Graph): Operator[] {
  return graph.operators.filter((op) => !isReshape(op));
}

function isReshape(op: Operator): boolean {
  return op.kind === 'Reshape' && !op.epilogue?.length;
}

/** A tensor that an actor makes, or reads. */
interface Made {
  readonly actor: number;
  readonly tensor: TensorId;
  readonly made: Int32Array;
}

interface Read extends Rates {
  readonly actor: number;
  readonly tensor: TensorId;
}

export function csdfOf(graph: Graph, { padding, byParts }: CsdfOptions): CsdfGraph {
  const actors: CsdfActor[] = [];
  const makes: Made[] = [];
  const reads: Read[] = [];
  const origin = originsOf(graph);
  const end = (tensor: TensorId, kind: 'input' | 'output', name: string) => {
    const { shape, constant } = graph.tensors[tensor];
    if (constant) return;
    const tokens = elementCount(shape);
    const phases = linesOf(shape);
    const actor = actors.push({ name, kind, phases, mostPhases: phases, macs: 0 }) - 1;
    if (kind === 'input') makes.push({ actor, tensor, made: evenly(tokens, phases) });
    else {
      const rates = windowRates(tokens, { kernel: 1, stride: 1, lines: phases, phases });
      reads.push({ actor, tensor: origin[tensor], ...rates });
    }
  };
  // An output is often named as the layer that makes it.
  const named = new Set(graph.operators.map((op) => op.name));
  const nameOf = (port: string, kind: string) => (named.has(port) ? `${port}:${kind}` : port);
  for (const p of graph.inputs) end(p.tensor, 'input', nameOf(p.name, 'input'));
  layersOf(graph).forEach((op, layer) => {
    const mostPhases = mostPhasesOf(graph, op, padding);
    const phases = byParts && !byParts[layer] ? 1 : mostPhases;
    const macs = definitionOf(op.kind).macs(contextOf(graph, op));
    const actor = actors.push({ name: op.name, kind: op.kind, phases, mostPhases, macs }) - 1;
    const { made, taken } = layerRates(graph, op, phases, padding, origin);
    op.outputs.forEach((tensor, i) => {
      makes.push({ actor, tensor, made: made[i] });
    });
    for (const { tensor, rates } of taken) reads.push({ actor, tensor, ...rates });
  });
  for (const p of graph.outputs) end(p.tensor, 'output', nameOf(p.name, 'output'));
  const edges = makes.flatMap((m) =>
    reads.filter((r) => r.tensor === m.tensor).map((r) => edgeOf(graph, actors, m, r)),
  );
  return { name: graph.name, actors, edges };
}

function edgeOf(graph: Graph, actors: readonly CsdfActor[], m: Made, r: Read): CsdfEdge {
  const tensor = graph.tensors[m.tensor];
  const wanted = r.needs[r.needs.length - 1];
  return {
    from: m.actor,
    to: r.actor,
    tensor: m.tensor,
    wholeTokens: elementCount(tensor.shape),
    tokenBytes: elementBytes(tensor),
    // What this reader never reads does not go into its FIFO.
    made: m.made.map((n) => Math.min(n, wanted)),
    needs: r.needs,
    frees: r.frees,
    keeps: r.keeps,
    end:
      actors[m.actor].kind === 'input' ? 'input' : actors[r.actor].kind === 'output' ? 'output' : undefined,
  };
}

/** By tensor: the one it is a reshape of, or itself. */
function originsOf(graph: Graph): TensorId[] {
  const origin = graph.tensors.map((t) => t.id);
  for (const op of graph.operators) if (isReshape(op)) origin[op.outputs[0]] = origin[op.inputs[0]];
  return origin;
}

function linesOf(shape: readonly number[]): number {
  return Math.max(1, Math.ceil(pixelsOf(shape) / Math.max(1, rowPixels(shape))));
}

/** Output lines; 1 where the operator needs all of its input at once. */
function mostPhasesOf(graph: Graph, op: Operator, padding: CsdfOptions['padding']): number {
  if (definitionOf(op.kind).access === 'whole') return 1;
  if (padding === 'ignore' && takesFlattenIn(graph, op)) return 1;
  const { shape } = graph.tensors[op.outputs[0]];
  return Math.max(1, Math.ceil(pixelsOf(shape) / rowRun(graph, op)));
}

/** The authors' converter makes flattening part of a pool before it, so that the pool has one line of output. */
function takesFlattenIn(graph: Graph, op: Operator): boolean {
  if (op.kind !== 'MaxPool' && op.kind !== 'AveragePool') return false;
  const origin = originsOf(graph);
  const readers = layersOf(graph).filter((o) => o.inputs.some((t) => t >= 0 && origin[t] === op.outputs[0]));
  return (
    readers.length > 0 &&
    readers.every((o) => o.kind === 'FullyConnected' && pixelsOf(graph.tensors[o.outputs[0]].shape) === 1)
  );
}

function madeBy(graph: Graph, op: Operator, tensor: TensorId, phases: number): Int32Array {
  const { shape } = graph.tensors[tensor];
  if (phases === 1) return Int32Array.of(elementCount(shape));
  const run = rowRun(graph, op);
  const pixels = pixelsOf(shape);
  return Int32Array.from({ length: phases }, (_, i) => Math.min(pixels, (i + 1) * run) * channelsOf(shape));
}

/** What a layer makes of each output and takes of each input under so many phases. */
interface LayerRates {
  readonly made: readonly Int32Array[];
  readonly taken: readonly Taken[];
}

const known = new WeakMap<Operator, Map<string, LayerRates>>();

/** Remembered: a search over phases asks for the same layers again and again. */
function layerRates(
  graph: Graph,
  op: Operator,
  phases: number,
  padding: CsdfOptions['padding'],
  origin: readonly TensorId[],
): LayerRates {
  let map = known.get(op);
  if (!map) known.set(op, (map = new Map()));
  const key = `${padding} ${phases}`;
  let rates = map.get(key);
  if (!rates) {
    rates = {
      made: op.outputs.map((tensor) => madeBy(graph, op, tensor, phases)),
      taken: takenBy(graph, op, phases, padding, origin),
    };
    map.set(key, rates);
  }
  return rates;
}

interface Taken {
  readonly tensor: TensorId;
  readonly rates: Rates;
}

/** What an operator takes of each tensor it reads. */
function takenBy(
  graph: Graph,
  op: Operator,
  phases: number,
  padding: CsdfOptions['padding'],
  origin: readonly TensorId[],
): Taken[] {
  const inputs = op.inputs.flatMap((t, index) =>
    t === ABSENT || graph.tensors[t].constant ? [] : [{ index, tensor: graph.tensors[t] }],
  );
  const distinct = new Set(inputs.map((i) => origin[i.tensor.id]));
  return [...distinct].map((tensor) => {
    const of = inputs.filter((i) => origin[i.tensor.id] === tensor);
    const rates =
      padding === 'ignore' && hasLines(op)
        ? lineRates(graph, op, of[0].tensor, distinct.size > 1, phases)
        : exactRates(graph, op, of, phases);
    return { tensor, rates };
  });
}

/** Operators that the authors' rules do not cover keep their exact rates in both modes. */
function hasLines(op: Operator): boolean {
  return ![
    'ConvTranspose',
    'Resize',
    'DepthToSpace',
    'SpaceToDepth',
    'Slice',
    'Pad',
    'Transpose',
    'Tile',
  ].includes(op.kind);
}

function lineRates(graph: Graph, op: Operator, input: Tensor, joins: boolean, phases: number): Rates {
  const tokens = elementCount(input.shape);
  const lines = linesOf(input.shape);
  if (joins) return joinRates(tokens, { kernel: 1, stride: 1, lines, phases });
  return windowRates(tokens, { ...windowLines(graph, op), lines, phases });
}

/** Lines of an operator's window, and between windows. */
function windowLines(graph: Graph, op: Operator): { kernel: number; stride: number } {
  const { kernel, stride, dilation } = op.attrs as Record<string, readonly number[] | undefined>;
  if (!stride) return { kernel: 1, stride: 1 };
  const taps = kernel?.[0] ?? graph.tensors[op.inputs[1]].shape[1];
  return { kernel: (taps - 1) * (dilation?.[0] ?? 1) + 1, stride: stride[0] };
}

/** What the operator's definition says it reads. */
function exactRates(
  graph: Graph,
  op: Operator,
  inputs: readonly { readonly index: number; readonly tensor: Tensor }[],
  phases: number,
): Rates {
  const tokens = elementCount(inputs[0].tensor.shape);
  if (phases === 1) {
    const all = Int32Array.of(tokens);
    return { needs: all, frees: all, keeps: Int32Array.of(0) };
  }
  const firings = firingsOf(graph, { kind: 'operator', index: op.id, run: rowRun(graph, op) });
  const needs = new Int32Array(phases);
  const frees = new Int32Array(phases).fill(tokens);
  for (const { index, tensor } of inputs) {
    const place = firings.inputs.findIndex((i) => i.index === index);
    const channels = channelsOf(tensor.shape);
    for (let f = 0; f < phases; f++) {
      const { lo, hi } = firings.reads(place, f);
      if (hi <= lo) continue;
      needs[f] = Math.max(needs[f], hi * channels);
      // What this phase reads must still be there when the one before is over.
      if (f > 0) frees[f - 1] = Math.min(frees[f - 1], lo * channels);
    }
  }
  for (let f = 1; f < phases; f++) needs[f] = Math.max(needs[f], needs[f - 1]);
  for (let f = phases - 2; f >= 0; f--) frees[f] = Math.min(frees[f], frees[f + 1]);
  return { needs, frees, keeps: needs.map((n, f) => Math.max(0, n - frees[f])) };
}
