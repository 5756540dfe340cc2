/** A partition on chips: stages and replicas, figures by formula and by simulation, beside the two baselines. */
import { type Fusion, layerFusion } from '../passes/2-partition/layer-fusion.ts';
import type { Partition } from '../passes/2-partition/partition.ts';
import { type PipelineMode, type PipelineRun, simulatePipeline } from './pipeline.ts';
import type { AloneCost, ChipCosts, StageCost } from './stages.ts';
import { replicasForChips, replicasForPeriod, stapFigures } from './stap.ts';

export interface PipelinePlanRequest {
  /** Images in a mini-batch. */
  readonly batch: number;
  /** Chips in all; left out, one a span, or what the period asks for. */
  readonly chips?: number;
  /** Seconds between mini-batches that are aimed at. */
  readonly periodSeconds?: number;
  /** Replicas that were settled with the partition. */
  readonly replicas?: readonly number[];
  readonly mode: PipelineMode;
  /** Mini-batches that are simulated. */
  readonly batches: number;
  readonly queue: number;
  /** Seconds between arrivals; left out, the pipeline's own pace. */
  readonly arrivalSeconds?: number;
}

export interface PipelineStage extends StageCost {
  /** For one mini-batch. */
  readonly batchSeconds: number;
  readonly replicas: number;
}

/** Images a second, seconds for a mini-batch, joules and off-chip bytes for an image. */
export interface Figures {
  readonly throughput: number;
  readonly latencySeconds: number;
  readonly energyJoules: number;
  readonly trafficBytes: number;
}

export interface PipelinePlan extends Figures {
  readonly stages: readonly PipelineStage[];
  readonly chips: number;
  /** Between mini-batches. */
  readonly periodSeconds: number;
  /** Read once, before the first image. */
  readonly filterBytes: number;
  readonly run: PipelineRun;
  /** The same stages and replicas in the other modes, simulated. */
  readonly modes: readonly {
    readonly mode: PipelineMode;
    readonly throughput: number;
    readonly latencySeconds: number;
  }[];
  /** As many chips, each running the whole network on mini-batches of its own. */
  readonly base: Figures;
  readonly layerFusion: Figures;
}

const MODES: readonly PipelineMode[] = ['staggered', 'unstaggered', 'synchronous'];

export function planPipeline(
  costs: ChipCosts,
  partition: Partition,
  request: PipelinePlanRequest,
  weights = true,
): PipelinePlan {
  const { batch } = request;
  const { chip } = costs;
  const spans = partition.spans.map((s) => costs.stage(s));
  const times = spans.map((s) => s.seconds * batch + chip.offChipLatencySeconds);
  const replicas =
    request.replicas ??
    (request.periodSeconds !== undefined
      ? replicasForPeriod(times, request.periodSeconds)
      : replicasForChips(times, request.chips ?? times.length));
  const said = stapFigures(times, replicas);
  const simulated = times.map((seconds, i) => ({ seconds, replicas: replicas[i] }));
  const simulate = (mode: PipelineMode) => {
    const { batches, queue, arrivalSeconds } = request;
    return simulatePipeline({ stages: simulated, batches, queue, mode, arrivalSeconds });
  };
  const run = simulate(request.mode);
  const idle = (periodSeconds: number) => (chip.idleWatts * said.chips * periodSeconds) / batch;
  const work = spans.map((s) => costs.joules(s)).reduce((a, b) => a + b, 0);
  // In lockstep formulas are others: the simulation has them.
  const asynchronous = request.mode === 'staggered' && request.arrivalSeconds === undefined;
  const throughput = asynchronous ? said.throughput * batch : run.throughput * batch;
  const fusion: Fusion = layerFusion(costs.net, { capacityBytes: chip.capacityBytes, weights });
  const alone = (cost: AloneCost): Figures => ({
    throughput: said.chips / cost.seconds,
    latencySeconds: cost.seconds * batch,
    energyJoules: costs.joules(cost) + chip.idleWatts * cost.seconds,
    trafficBytes: cost.offChipBytes,
  });
  return {
    stages: spans.map((s, i) => ({ ...s, batchSeconds: times[i], replicas: replicas[i] })),
    chips: said.chips,
    periodSeconds: batch / throughput,
    throughput,
    latencySeconds: asynchronous ? said.latencySeconds : run.latencySeconds,
    energyJoules: work + idle(batch / throughput),
    trafficBytes: partition.trafficBytes,
    filterBytes: spans.reduce((n, s) => n + s.filterBytes, 0),
    run,
    modes: MODES.map((mode) => {
      const { throughput, latencySeconds } = mode === request.mode ? run : simulate(mode);
      return { mode, throughput: throughput * batch, latencySeconds };
    }),
    base: alone(costs.base(batch)),
    layerFusion: alone(costs.fusion(fusion, batch)),
  };
}
