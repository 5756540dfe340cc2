/** Public models layer by layer with outputs over dead input: the plan is proven, and runs bit-equal. */
import { describe, expect, test } from 'vitest';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import { runReference } from '../../src/run/reference.ts';
import { MISSING } from '../conformance/tflite/reference-data.ts';
import { firstDifference, MIN_POLICY, runPlanned } from './planned-run.ts';
import { haveModels, loadModel, seededInputs } from './public-models.ts';

/** Small ones of each kind, and what they take overlapped, without room for staged runs. */
const MODELS = [
  ['vww_96_int8.tflite', 36_864],
  ['person_detect_int8.tflite', 36_864],
  ['resnet8_cifar_int8.tflite', 33_296],
  ['kws_dscnn_int8.tflite', 8_384],
  ['mcunet_vww_int8.tflite', 76_800],
  ['mobilenet_v1_025_128_uint8.tflite', 65_536],
  ['micro_speech_int8.tflite', 4_157],
  ['streaming_wakeword_int8.tflite', 3_584],
  ['har_cnn_int8.tflite', 22_784],
  ['tinymaix_cifar10_float.tflite', 33_444],
  ['resnet8_cifar10_fp16.onnx', 133_184],
  ['cifar_cnn_dynbatch.onnx', 44_592],
  ['mnist_cntk.onnx', 25_292],
  ['ort_mobilenet_v3_small_excerpt.onnx', 805_464],
] as const;

describe.skipIf(!haveModels)(`overlapped public models${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test.each(MODELS)('%s', async (file, bytes) => {
    const graph = loadModel(file);
    const { plan, overlapBytes } = overlapGraph(graph, { policy: MIN_POLICY, granularity: 'pixel' });
    expect(overlapBytes).toBe(bytes);
    const inputs = await seededInputs(file, graph);
    expect(
      firstDifference(runPlanned(graph, plan, inputs, 0xa5), runReference(graph, inputs)),
    ).toBeUndefined();
  });
});
