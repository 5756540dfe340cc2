/** The models that the speed benches time, small ones first. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadedModel, loadModel } from '../../src/cli/model.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { zooGraph } from '../../src/zoo/zoo.ts';
import { MODELS } from '../../test/public-models-folder.ts';

export interface SpeedRow {
  /** A file among the public models, or `zoo:NAME`. */
  readonly model: string;
  readonly dtype: 'f32' | 'int8';
  /** Picture height and width, where not the network's own. */
  readonly size?: readonly [number, number];
  /** Turns that each runtime takes; left out: 5. */
  readonly turns?: number;
}

const LIST: readonly SpeedRow[] = [
  { model: 'zoo:resnet8', dtype: 'f32' },
  { model: 'zoo:resnet8', dtype: 'int8' },
  { model: 'tflite/vww_96_int8.tflite', dtype: 'int8' },
  { model: 'zoo:mobilenetv2-0.35-144', dtype: 'f32' },
  { model: 'zoo:mobilenetv2-0.35-144', dtype: 'int8' },
  { model: 'zoo:squeezenet1.1', dtype: 'f32' },
  { model: 'zoo:squeezenet1.1', dtype: 'int8' },
  { model: 'zoo:mobilenetv2-1.0-224', dtype: 'f32' },
  { model: 'zoo:mobilenetv2-1.0-224', dtype: 'int8' },
  { model: 'zoo:resnet18', dtype: 'f32' },
  { model: 'zoo:resnet18', dtype: 'int8' },
  { model: 'onnx/ultraface_rfb_320.onnx', dtype: 'f32' },
  { model: 'onnx/super_resolution_espcn.onnx', dtype: 'f32' },
  { model: 'zoo:dncnn-17', dtype: 'f32', size: [512, 512], turns: 2 },
];

const ofZoo = (model: string) => model.startsWith('zoo:');

/** Without the folder, with the size. */
export function titleOf({ model, size }: SpeedRow): string {
  const name = model.replace(/^.*\//, '');
  return size ? `${name} ${size.join('x')}` : name;
}

/** Rows whose files are there; of those, the ones that the environment's ROWS names, by parts of "name type". */
export function chosenRows(): SpeedRow[] {
  const words = process.env.ROWS?.split(',').map((w) => w.trim());
  return LIST.filter(({ model }) => ofZoo(model) || existsSync(join(MODELS, model))).filter(
    (row) => !words || words.some((w) => `${titleOf(row)} ${row.dtype}`.includes(w)),
  );
}

export function loadRow({ model, dtype, size }: SpeedRow): LoadedModel {
  if (!ofZoo(model)) return loadModel(join(MODELS, model), { dtype, toRun: true });
  if (!size) return loadModel(model, { dtype, toRun: true });
  return { model, format: 'zoo', graph: normalise(zooGraph(model.slice('zoo:'.length), { dtype, size })) };
}
