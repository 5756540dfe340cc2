/** From what the user names as MODEL to a normalised graph: a .onnx or .tflite file, or `zoo:NAME`. */
import { TidemarkError, within } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { normalise } from '../model/normalise/normalise.ts';
import { readOnnx } from '../model/onnx/read.ts';
import { readTflite } from '../model/tflite/read.ts';
import { calibratedZooGraph, zooGraph } from '../zoo/zoo.ts';
import { externalReader, readModelFile } from './model-files.ts';
import { type ModelFormat, modelFormat } from './model-format.ts';
import type { ModelOptions } from './options/shared.ts';

export interface LoadedModel {
  /** MODEL as the user gave it. */
  readonly model: string;
  readonly format: ModelFormat | 'zoo';
  readonly graph: Graph;
  /** The file and its bytes, where there is a file. */
  readonly file?: string;
  readonly bytes?: Uint8Array;
}

export interface LoadOptions extends ModelOptions {
  /** The model will be run: a zoo model's int8 scales must then come from its calibration. */
  readonly toRun?: boolean;
}

/** Reads, checks and normalises a model. */
export function loadModel(model: string, options: LoadOptions): LoadedModel {
  if (model.startsWith('zoo:')) return { model, format: 'zoo', graph: fromZoo(model.slice(4), options) };
  const bytes = readModelFile(model);
  const format = modelFormat(model, bytes);
  const name = model.replace(/^.*[\\/]/, '').replace(/\.(onnx|tflite)$/i, '');
  const given = { name, file: model, shapes: options.shape };
  const graph =
    format === 'onnx'
      ? readOnnx(bytes, { ...given, external: externalReader(model) })
      : readTflite(bytes, given);
  return { model, format, graph: within(model, () => normalise(graph)), file: model, bytes };
}

function fromZoo(name: string, options: LoadOptions): Graph {
  if (options.shape) throw new TidemarkError('usage', `--shape: zoo:${name} has a fixed input size`);
  const graph =
    options.dtype === 'int8' && options.toRun
      ? calibratedZooGraph(name)
      : zooGraph(name, { dtype: options.dtype });
  return within(`zoo:${name}`, () => normalise(graph));
}
