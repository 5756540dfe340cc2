/** What the user names as MODEL: a .onnx or .tflite file, or `zoo:NAME`. */
import { importModel, type ModelSource } from '../compile.ts';
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type ModelFormat, modelFormat } from '../model/format.ts';
import { externalReader, readModelFile } from './model-files.ts';
import type { ModelOptions } from './options/shared.ts';

export interface LoadedModel {
  /** MODEL as the user gave it. */
  readonly model: string;
  readonly format: ModelFormat | 'zoo';
  readonly graph: Graph;
  /** The file, where there is one. */
  readonly file?: string;
}

export interface LoadOptions extends ModelOptions {
  /** The model will be run: a zoo model's int8 scales must then come from its calibration. */
  readonly toRun?: boolean;
}

/** Reads, checks and normalises a model. */
export function loadModel(model: string, options: LoadOptions): LoadedModel {
  const source = modelSource(model, options);
  const graph = importModel(source);
  if ('zoo' in source) return { model, format: 'zoo', graph };
  return { model, format: modelFormat(model, source.bytes), graph, file: model };
}

/** The model's bytes and what goes with them; nothing is made of them yet. */
export function modelSource(model: string, { shape, dtype, toRun }: LoadOptions): ModelSource {
  if (!model.startsWith('zoo:')) {
    return { bytes: readModelFile(model), file: model, shapes: shape, external: externalReader(model) };
  }
  if (shape) throw new TidemarkError('usage', `--shape: ${model} has a fixed input size`);
  return { zoo: model.slice('zoo:'.length), dtype, calibrated: toRun };
}
