/** `tidemark pipeline --run`: images through worker threads, compared with a run in this thread. */
import { allocate, type TypedArray } from '../graph/graph.ts';
import type { LayerNet } from '../passes/2-partition/layers.ts';
import type { Partition } from '../passes/2-partition/partition.ts';
import { spanGraph } from '../passes/2-partition/span-graph.ts';
import { rangeOf } from '../passes/2-partition/traffic.ts';
import { randomArray } from '../run/input/random.ts';
import { PipelineCoordinator } from '../run/pipeline/coordinator.ts';
import { leavingOutputs, stagesOf } from '../run/pipeline/stages.ts';
import { runReference } from '../run/reference.ts';
import { note } from './output.ts';
import { threadSpawner } from './pipeline-threads.ts';

export interface PipelineRunReport {
  readonly images: number;
  readonly workers: number;
  /** Every output of every image, bit for bit. */
  readonly equal: boolean;
  readonly seconds: number;
  /** By stage. */
  readonly arenaBytes: readonly number[];
  readonly weightBytes: readonly number[];
  readonly mostInFlight: number;
  /** Bytes of maps to workers and from them, for one image. */
  readonly movedBytes: number;
  readonly retried: number;
  readonly died: number;
  readonly failed: readonly { readonly batch: number; readonly reason: string }[];
}

export interface PipelineRunRequest {
  readonly replicas: readonly number[];
  readonly images: number;
  /** Images in a mini-batch. */
  readonly batch: number;
  readonly queue: number;
}

export async function runPipelineForReal(
  net: LayerNet,
  partition: Partition,
  { replicas, images, batch, queue }: PipelineRunRequest,
): Promise<PipelineRunReport> {
  const stages = stagesOf(
    net,
    partition.spans.map((s) => s.layers),
  );
  const weightBytes = stages.map(() => 0);
  const coordinator = new PipelineCoordinator({
    net,
    stages,
    replicas,
    queue,
    spawn: threadSpawner(),
    onEvent: (event) => {
      if (event.kind === 'ready') weightBytes[event.stage] = event.weightBytes;
      else if (event.kind === 'died')
        note(`stage ${event.stage + 1}, replica ${event.replica + 1}: its worker died (${event.reason})`);
      else if (event.kind === 'failed') note(`mini-batch ${event.batch} failed: ${event.reason}`);
    },
  });
  const results: TypedArray[][] = [];
  const started = performance.now();
  const summary = await coordinator.run(
    (b) => {
      const first = b * batch;
      if (first >= images) return undefined;
      return Array.from({ length: Math.min(batch, images - first) }, (_, i) =>
        seededInputs(net, first + i + 1),
      );
    },
    (b, outputs) => {
      outputs.forEach((o, i) => {
        results[b * batch + i] = o;
      });
    },
  );
  const seconds = (performance.now() - started) / 1000;
  let equal = summary.failed.length === 0;
  for (let i = 0; i < images && equal; i++)
    equal = same(results[i], singleRun(net, seededInputs(net, i + 1)));
  return {
    images,
    workers: replicas.reduce((a, b) => a + b, 0),
    equal,
    seconds,
    arenaBytes: stages.map((s) => s.plan.arenaBytes),
    weightBytes,
    mostInFlight: summary.mostInFlight,
    movedBytes: summary.movedBytes / images,
    retried: summary.retried,
    died: summary.died,
    failed: summary.failed,
  };
}

/** Inputs of one image, in the graph's layout. */
function seededInputs(net: LayerNet, seed: number): TypedArray[] {
  return net.graph.inputs.map((port, i) => {
    const { dtype, shape } = net.graph.tensors[port.tensor];
    const { values } = randomArray(dtype, shape, seed + i);
    const typed = allocate(dtype, values.length);
    typed.set(values);
    return typed;
  });
}

/** All layers, operator by operator, without a plan. */
function singleRun(net: LayerNet, inputs: readonly TypedArray[]): TypedArray[] {
  const whole = spanGraph(net, rangeOf(0, net.layers.length - 1));
  const given = whole.inputs.map(
    (m) => inputs[net.graph.inputs.findIndex((p) => p.tensor === net.maps[m].tensor)],
  );
  const outputs = runReference(whole.graph, given);
  return leavingOutputs(net, new Map(outputs.map((o, i) => [whole.outputs[i], o.values])));
}

function same(a: readonly TypedArray[] | undefined, b: readonly TypedArray[]): boolean {
  return (
    a?.length === b.length &&
    a.every((x, i) => x.length === b[i].length && x.every((v, k) => Object.is(v, b[i][k])))
  );
}
