/**
 * The stages of a pipeline: one span of a partition each, with its own graph and plan, so that a stage holds its
 * own filters and a closure-sized arena and nothing else. Maps travel between stages as plain arrays.
 */
import { TidemarkError } from '../../errors.ts';
import { type Graph, pixelsOf, type TypedArray, tensorBytes } from '../../graph/graph.ts';
import { evaluate } from '../../ops/evaluate.ts';
import { contextOf } from '../../ops/registry.ts';
import type { LayerNet } from '../../passes/2-partition/layers.ts';
import { spanGraph, streamPlan } from '../../passes/2-partition/span-graph.ts';
import type { Plan } from '../../plan/plan.ts';
import { executePlan } from '../execute.ts';

export interface Stage {
  readonly graph: Graph;
  readonly plan: Plan;
  /** Maps that come in and go out, in the order of the graph's ports. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** What stages hand on, by map. */
export type MapValues = ReadonlyMap<number, TypedArray>;

/** A stage for each set of layers, in an order in which they can run. */
export function stagesOf(net: LayerNet, sets: readonly (readonly number[])[]): Stage[] {
  return sets.map((layers) => {
    const { graph, inputs, outputs } = spanGraph(net, layers);
    return { graph, plan: streamPlan(graph), inputs, outputs };
  });
}

/** The maps that are there before the first stage: the network's inputs, in the graph's layout. */
export function enteringMaps(net: LayerNet, inputs: readonly TypedArray[]): Map<number, TypedArray> {
  const entering = new Map<number, TypedArray>();
  net.graph.inputs.forEach((port, i) => {
    const map = net.maps.find((m) => m.writer < 0 && m.tensor === port.tensor);
    if (map) entering.set(map.index, inputs[i]);
  });
  return entering;
}

/**
 * The network's outputs from the maps that left: reshapes and the like are all that can be between. Where layers
 * were left out, the maps themselves are the outputs.
 */
export function leavingOutputs(net: LayerNet, values: MapValues): TypedArray[] {
  const { graph, maps } = net;
  const known: (TypedArray | undefined)[] = graph.tensors.map((t) => t.constant?.load());
  for (const [m, v] of values) known[maps[m].tensor] = v;
  const layers = new Set(net.layers.map((l) => l.operator));
  for (const op of graph.operators) {
    if (layers.has(op.id) || !net.network.storage.isView[op.id]) continue;
    if (!op.inputs.every((t) => t < 0 || known[t])) continue;
    evaluate(
      contextOf(graph, op),
      op.inputs.map((t) => (t < 0 ? undefined : known[t])),
    ).forEach((v, i) => {
      known[op.outputs[i]] = v;
    });
  }
  const whole = graph.outputs.map((p) => known[p.tensor]);
  if (whole.every((v) => v !== undefined)) return whole;
  return maps.filter((m) => m.leaves).map((m) => values.get(m.index)!);
}

/** Counts what crosses the edges of stages, as their executor moves it. */
export class TrafficMeter {
  readBytes = 0;
  writeBytes = 0;
  /** Pixels that were moved a second time; a plan that reuses in full has none. */
  repeated = 0;

  /** The hook of one run of a stage. */
  of({ graph, plan }: Stage): (actor: number, lo: number, hi: number) => void {
    const seen = new Map<number, Uint8Array>();
    return (actor, lo, hi) => {
      const { kind, index } = plan.actors[actor];
      const { tensor } = (kind === 'source' ? graph.inputs : graph.outputs)[index];
      const pixels = pixelsOf(graph.tensors[tensor].shape);
      let moved = seen.get(actor);
      if (!moved) seen.set(actor, (moved = new Uint8Array(pixels)));
      for (let p = lo; p < hi; p++) {
        this.repeated += moved[p];
        moved[p] = 1;
      }
      const bytes = ((hi - lo) * tensorBytes(graph.tensors[tensor])) / pixels;
      if (kind === 'source') this.readBytes += bytes;
      else this.writeBytes += bytes;
    };
  }
}

/** One image through one stage. */
export function runStage(
  stage: Stage,
  inputs: readonly TypedArray[],
  meter?: TrafficMeter,
): readonly TypedArray[] {
  stage.inputs.forEach((map, i) => {
    if (inputs[i] === undefined)
      throw new TidemarkError('internal', `stage ${stage.graph.name}: map ${map} has not arrived`);
  });
  return executePlan(stage.graph, stage.plan, inputs, { onCross: meter?.of(stage) }).outputs;
}

/** One image through all stages, one after another, in this thread. Gives the network's outputs. */
export function runStages(
  net: LayerNet,
  stages: readonly Stage[],
  inputs: readonly TypedArray[],
  meter?: TrafficMeter,
): TypedArray[] {
  const values = enteringMaps(net, inputs);
  for (const stage of stages) {
    const outputs = runStage(
      stage,
      stage.inputs.map((m) => values.get(m)!),
      meter,
    );
    stage.outputs.forEach((m, i) => {
      values.set(m, outputs[i]);
    });
  }
  return leavingOutputs(net, values);
}
