/**
 * A model's whole way: bytes, graph, normalised graph, plan, proof, figures. The command line goes through
 * here, and so may any other program. Each line below is a folder of its own (docs/architecture.md).
 */
import { within } from './errors.ts';
import { type FitRequest, type FitResult, fitGraph } from './fit/fit.ts';
import { canStream, refuseTooLarge } from './fit/limits.ts';
import type { Graph } from './graph/graph.ts';
import { modelFormat } from './model/format.ts';
import { normalise } from './model/normalise/normalise.ts';
import { readOnnx } from './model/onnx/read.ts';
import { readTflite } from './model/tflite/read.ts';
import { type PlanMetrics, planMetrics } from './plan/metrics.ts';
import { calibratedZooGraph, zooGraph } from './zoo/zoo.ts';

/** A file's bytes, or the name of a standard topology. */
export type ModelSource = ModelFile | ZooModel;

export interface ModelFile {
  readonly bytes: Uint8Array;
  /** The file's name: for messages, and for telling formats apart where the content leaves it open. */
  readonly file: string;
  /** Sizes of inputs that the file leaves open, in the file's order of axes. */
  readonly shapes?: Record<string, readonly number[]>;
  /** Reads what an ONNX file keeps beside it. Left out: such files are refused. */
  readonly external?: (location: string) => Uint8Array;
}

export interface ZooModel {
  readonly zoo: string;
  /** Left out: f32. */
  readonly dtype?: 'f32' | 'int8';
  /** int8 scales from a calibration run, which results need and plans do not. */
  readonly calibrated?: boolean;
}

/** A plan that the checker proved, and its figures. */
export interface Planned extends FitResult, PlanMetrics {
  /** The planner hands out no plan that the checker refuses. */
  readonly checked: true;
}

export interface Compiled extends Planned {
  /** The normalised graph: the plan is for this one. */
  readonly graph: Graph;
}

export function compileModel(source: ModelSource, request: FitRequest): Compiled {
  const graph = importModel(source);
  return { graph, ...planGraph(graph, request) };
}

/** Reads, checks and normalises a model. */
export function importModel(source: ModelSource): Graph {
  const name = 'zoo' in source ? `zoo:${source.zoo}` : source.file;
  const read = 'zoo' in source ? fromZoo(source) : fromFile(source);
  return within(name, () => normalise(read));
}

/** Plans a normalised graph: the least memory, or the least cost within a budget. */
export function planGraph(graph: Graph, request: FitRequest): Planned {
  refuseTooLarge(graph);
  const fitted = fitGraph(graph, canStream(graph) ? request : { ...request, method: 'layerwise' });
  return { ...fitted, ...planMetrics(graph, fitted.plan), checked: true };
}

function fromFile({ bytes: given, file, shapes, external }: ModelFile): Graph {
  // Parts of a Node Buffer are Buffers, whose own `slice` does not copy.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const name = file.replace(/^.*[\\/]/, '').replace(/\.(onnx|tflite)$/i, '');
  return modelFormat(file, bytes) === 'onnx'
    ? readOnnx(bytes, { name, file, shapes, external })
    : readTflite(bytes, { name, file, shapes });
}

function fromZoo({ zoo, dtype, calibrated }: ZooModel): Graph {
  return dtype === 'int8' && calibrated ? calibratedZooGraph(zoo) : zooGraph(zoo, { dtype });
}
