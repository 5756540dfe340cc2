/** Models whose reference outputs cannot be compared as the others' are: why, and what is compared instead. */
import { parseTflite } from '../../../src/model/tflite/file.ts';
import { readTflite } from '../../../src/model/tflite/read.ts';
import {
  firstDifference,
  RELATIVE_TOLERANCE,
  relativeError,
  seededInputs,
  strided,
  type Verdict,
} from './compare.ts';
import { decode, encode, fnv1a64, readJson, readModelFile, seededInput } from './reference-data.ts';
import { runLayers } from './run-layers.ts';

/** Models that cannot be compared as the others are, and why. */
export const EXPECTED: Readonly<
  Record<string, { verdict: Verdict['verdict']; message: string; bound?: number; why: string }>
> = {
  'ssd_mobilenet_v1_coco_uint8.tflite': {
    verdict: 'refused',
    message: 'custom operator TFLite_Detection_PostProcess',
    why: 'ends in a custom operator; everything before it equals the reference bit for bit',
  },
  'kws_dscnn_float_dynrange.tflite': {
    verdict: 'differs',
    message: '',
    bound: 1e-3,
    why: 'hybrid: LiteRT rounds the activations to 8 bits before each product, Tidemark does not round them at all',
  },
  'ultraface_rfb_320_float.tflite': {
    verdict: 'differs',
    message: '',
    why: 'LiteRT gives only as many values as the file declares, and those of the scores are not probabilities; the scores are within 1e-4 of its ONNX twin in ONNX Runtime',
  },
};

/** The model of a custom operator, ended at the tensors before it, against the reference kernels' (tflm/). */
export function compareCut(file: string): Verdict {
  const started = performance.now();
  const bytes = readModelFile('tflite', file);
  const model = parseTflite(bytes);
  const custom = model.nodes.find((n) => n.builtin === 'CUSTOM')!;
  const computed = custom.inputs.map((t) => model.tensors[t]).filter((t) => !t.data);
  const graph = readTflite(bytes, { name: file, file, outputs: computed.map((t) => t.name) });
  const outputs = runLayers(graph, seededInputs(graph));
  const tflm = readJson('tflm/index.json')[file];
  const hashes = new Map<number, string>(
    tflm.tensors.map((t: [number, number, number, string]) => [t[1], t[3]]),
  );
  const equal = computed.map((t, i) => fnv1a64(encode(outputs[i], t.type)) === hashes.get(t.index));
  return {
    name: `${file} up to the custom operator`,
    reference: 'reference kernels',
    verdict: equal.length > 0 && equal.every(Boolean) ? 'equal' : 'differs',
    error: equal.every(Boolean) ? 0 : Infinity,
    note: equal.every(Boolean) ? '' : firstDifference(file, graph, tflm.tensors),
    seconds: (performance.now() - started) / 1000,
    quantised: true,
  };
}

/** Ultraface's scores on the seeded picture against those of the same network in ONNX. */
export function compareTwin(): Verdict {
  const started = performance.now();
  const file = 'ultraface_rfb_320_float.tflite';
  const graph = readTflite(readModelFile('tflite', file), { name: file, file });
  const [, h, w, c] = graph.inputs[0].shape;
  const planes = seededInput('f32', h * w * c, 1);
  const picture = Float32Array.from(planes, (_, i) => planes[(i % c) * h * w + Math.floor(i / c)]);
  const outputs = runLayers(graph, [picture]);
  const golden = readJson('goldens/goldens.json')['ultraface_rfb_320.onnx'].outputs[0];
  const scores = graph.outputs.findIndex((p) => p.shape.at(-1) === 2);
  const target = decode(readModelFile('goldens', golden.file), 'f32');
  const error = relativeError(strided(outputs[scores], golden.stride, golden.count), target);
  return {
    name: `${file} scores`,
    reference: 'ONNX twin in ONNX Runtime',
    verdict: error <= RELATIVE_TOLERANCE ? 'close' : 'differs',
    error,
    note: '',
    seconds: (performance.now() - started) / 1000,
    quantised: false,
  };
}
