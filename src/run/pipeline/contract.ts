/** What a pipeline's coordinator is asked for and tells, and what a host of workers has to offer. */
import type { LayerNet } from '../../passes/2-partition/layers.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import type { Stage } from './stages.ts';

/** A worker as its host offers it. */
export interface WorkerPort {
  post(message: ToWorker): void;
  stop(): void;
}

export interface WorkerEvents {
  onMessage(message: FromWorker): void;
  /** The worker is gone and will not answer any more. */
  onExit(reason: string): void;
}

export type Spawn = (events: WorkerEvents, stage: number, replica: number) => WorkerPort;

export type PipelineEvent =
  | {
      readonly kind: 'ready';
      readonly stage: number;
      readonly replica: number;
      readonly arenaBytes: number;
      readonly weightBytes: number;
    }
  | {
      readonly kind: 'died';
      readonly stage: number;
      readonly replica: number;
      readonly reason: string;
      readonly batch?: number;
    }
  | {
      readonly kind: 'retried';
      readonly stage: number;
      readonly replica: number;
      readonly batch: number;
      readonly attempt: number;
    }
  | {
      readonly kind: 'failed';
      readonly stage: number;
      readonly replica: number;
      readonly batch: number;
      readonly reason: string;
    };

export interface PipelineOptions {
  readonly net: LayerNet;
  readonly stages: readonly Stage[];
  readonly replicas: readonly number[];
  readonly spawn: Spawn;
  /** Mini-batches that may wait before each replica. Left out: 1. */
  readonly queue?: number;
  /** Times that a mini-batch is given to a stage in all. Left out: 3. */
  readonly attempts?: number;
  /** Told what happens to workers. */
  readonly onEvent?: (event: PipelineEvent) => void;
}

export interface PipelineSummary {
  readonly batches: number;
  /** Numbers of the mini-batches that failed, with the reason. */
  readonly failed: readonly { readonly batch: number; readonly reason: string }[];
  readonly retried: number;
  readonly died: number;
  /** Most mini-batches between the first stage and the end at one time. */
  readonly mostInFlight: number;
  /** Bytes of maps that went to workers and came from them: the traffic across the chips' edges. */
  readonly movedBytes: number;
}
