/** The public models through the readers: what normalisation leaves of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { haveModels, MODELS, UNLESS_MODELS } from '../../../test/public-models-folder.ts';
import { TidemarkError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { readOnnx } from '../onnx/read.ts';
import { readTflite } from '../tflite/read.ts';
import { normalise } from './normalise.ts';
import { kinds, normalised } from './testing/equivalence.ts';
import { validate } from './validate.ts';

/** The raw graph; undefined where the reader refuses the file (its own tests say which and why). */
function read(file: string): Graph | undefined {
  const bytes = new Uint8Array(readFileSync(`${MODELS}/${file}`));
  const options = { name: file, file };
  try {
    return file.endsWith('.onnx') ? readOnnx(bytes, options) : readTflite(bytes, options);
  } catch (error) {
    if (error instanceof TidemarkError) return undefined;
    throw error;
  }
}

describe.skipIf(!haveModels)(`public models${UNLESS_MODELS}`, () => {
  const files = haveModels
    ? ['onnx', 'tflite'].flatMap((dir) =>
        readdirSync(`${MODELS}/${dir}`)
          .filter((f) => /\.(onnx|tflite)$/.test(f))
          .map((f) => `${dir}/${f}`),
      )
    : [];

  test.for(files)('%s: valid after every pass, no Transpose left, nothing more to do', (file, ctx) => {
    const raw = read(file);
    if (!raw) return ctx.skip('the reader refuses this file');
    validate(raw);
    const graph = normalise(raw, (step) => {
      validate(step);
    });
    expect(kinds(graph).filter((k) => k.startsWith('Transpose'))).toEqual([]);
    expect(graph.operators.length).toBeLessThanOrEqual(raw.operators.length);
    expect(kinds(normalise(graph))).toEqual(kinds(graph));
  });

  test.each([
    ['onnx/cifar_cnn_dynbatch.onnx', 1e-5],
    ['onnx/mnist_cntk.onnx', 1e-5],
    ['onnx/ort_nhwc_conv_clip_relu.onnx', 0],
    ['onnx/ort_conv_qdq_u8u8.onnx', 0.01],
    ['onnx/ort_conv_qdq_s8s8_perchannel.onnx', 0.01],
    ['tflite/resnet8_cifar_int8.tflite', 0],
    ['tflite/tinymaix_mnist_resnet_float.tflite', 1e-6],
    ['tflite/har_cnn_int8.tflite', 0],
  ])('%s computes the same after every pass, to %d of its range', (file, relative) => {
    normalised(read(file)!, { relative });
  });
});
