/**
 * What one firing of an actor reads and writes, in pixels of its tensors. This is the meaning of a plan: the
 * checker, the executor, the metrics and the planners all ask here.
 */
import { ABSENT, channelsOf, elementBytes, type Graph, pixelsOf, type TensorId } from '../graph/graph.ts';
import type { OpContext, OperatorDef, PixelRange } from '../ops/operator.ts';
import { contextOf, definitionOf } from '../ops/registry.ts';
import type { PlanActor } from './plan.ts';

/** The arena tensor at one place of an actor's inputs. */
export interface ActorInput {
  /** Index into the operator's inputs; 0 for a sink. */
  readonly index: number;
  readonly tensor: TensorId;
}

export interface Firings {
  readonly count: number;
  /** Inputs that lie in memory; constants and absent ones are not among them. */
  readonly inputs: readonly ActorInput[];
  readonly outputs: readonly TensorId[];
  /** Pixels of every output that firing f writes. */
  writes(f: number): PixelRange;
  /** Pixels of `inputs[i]` that firing f reads. */
  reads(i: number, f: number): PixelRange;
}

export interface OperatorFirings extends Firings {
  readonly context: OpContext;
  readonly definition: OperatorDef;
}

const NOTHING: PixelRange = { lo: 0, hi: 0 };

/** An actor's shape: everything in `PlanActor` that decides what its firings do. */
export type ActorShape = Pick<PlanActor, 'kind' | 'index' | 'run' | 'fold' | 'reverse'>;

/** The firings of an actor over a graph (after its plan's copies were inserted). */
export function firingsOf(graph: Graph, actor: ActorShape): Firings {
  if (actor.kind === 'operator') return operatorFirings(graph, actor);
  const port = (actor.kind === 'source' ? graph.inputs : graph.outputs)[actor.index];
  const pixels = pixelsOf(graph.tensors[port.tensor].shape);
  const run = (f: number): PixelRange => ({ lo: f * actor.run, hi: Math.min(pixels, (f + 1) * actor.run) });
  // A tensor without elements arrives and leaves too, like operators that compute nothing.
  const count = Math.max(1, Math.ceil(pixels / actor.run));
  return actor.kind === 'source'
    ? {
        count,
        inputs: [],
        outputs: [port.tensor],
        writes: run,
        reads: () => NOTHING,
      }
    : {
        count,
        inputs: [{ index: 0, tensor: port.tensor }],
        outputs: [],
        writes: () => NOTHING,
        reads: (_i, f) => run(f),
      };
}

function operatorFirings(graph: Graph, actor: ActorShape): OperatorFirings {
  const op = graph.operators[actor.index];
  const context = contextOf(graph, op);
  const definition = definitionOf(op.kind);
  const inputs: ActorInput[] = op.inputs.flatMap((tensor, index) =>
    tensor === ABSENT || graph.tensors[tensor].constant ? [] : [{ index, tensor }],
  );
  const all = inputs.map(({ tensor }) => ({ lo: 0, hi: pixelsOf(graph.tensors[tensor].shape) }));
  const total = pixelsOf(context.outputs[0].shape);
  const base = { context, definition, inputs, outputs: op.outputs };
  if (actor.fold) {
    const folded = pixelsOf(context.inputs[0]!.shape);
    const count = Math.max(1, Math.ceil(folded / actor.run));
    return {
      ...base,
      count,
      writes: (f) => (f === count - 1 ? { lo: 0, hi: total } : NOTHING),
      reads: (i, f) =>
        inputs[i].index === 0 ? { lo: f * actor.run, hi: Math.min(folded, (f + 1) * actor.run) } : all[i],
    };
  }
  const { reads } = definition;
  const run = definition.access === 'pixel' ? actor.run : Math.max(1, total);
  const count = Math.max(1, Math.ceil(total / run));
  const writes = (f: number): PixelRange => {
    const r = actor.reverse ? count - 1 - f : f;
    return { lo: r * run, hi: Math.min(total, (r + 1) * run) };
  };
  return {
    ...base,
    count,
    writes,
    reads: (i, f) => {
      if (definition.access === 'whole' || !reads) return all[i];
      const w = writes(f);
      const need = reads(context, inputs[i].index, w.lo, w.hi);
      return need.hi > need.lo ? need : NOTHING;
    },
  };
}

/** Bytes of the largest run that a firing writes: what staging it takes. */
export function stagingBytes(graph: Graph, { outputs, count, writes }: Firings): number {
  const { shape, dtype } = graph.tensors[outputs[0]];
  let pixels = 0;
  // Runs are equal but for the last of the tensor, which fires last or first.
  for (const f of count > 0 ? [0, count - 1] : []) pixels = Math.max(pixels, writes(f).hi - writes(f).lo);
  return pixels * channelsOf(shape) * elementBytes({ dtype });
}

/** Bytes of working memory that an actor's firings need: a fold's state, or scratch. */
export function workspaceBytes(firings: Firings, fold: boolean): number {
  const { context, definition } = firings as Partial<OperatorFirings>;
  if (!context || !definition) return 0;
  return fold ? definition.fold!.stateBytes(context) : (definition.scratchBytes?.(context) ?? 0);
}
