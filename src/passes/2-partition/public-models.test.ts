/** Trained networks as users have them: every layer in one span, every span as its replay needs it, traffic below the base case. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { haveModels, MODELS, UNLESS_MODELS } from '../../../test/public-models-folder.ts';
import { importModel } from '../../compile.ts';
import { layersOf } from './layers.ts';
import { baseBytes, Partitioner } from './partition.ts';
import { replayClosure } from './replay.ts';

describe.skipIf(!haveModels)(`public models${UNLESS_MODELS}`, () => {
  test.each([
    ['tflite/vww_96_int8.tflite', 64],
    ['tflite/resnet8_cifar_int8.tflite', 32],
    ['tflite/movenet_lightning_int8.tflite', 384],
    ['tflite/mcunet_detection_int8.tflite', 128],
    ['tflite/mobilenet_v2_10_224_uint8.tflite', 512],
    ['tflite/face_landmark_float.tflite', 512],
    ['onnx/squeezenet1.1_fp16.onnx', 1024],
    ['onnx/ultraface_slim_320_simplified.onnx', 512],
  ])('%s at %i KiB', (file, kib) => {
    const bytes = new Uint8Array(fs.readFileSync(path.join(MODELS, file)));
    const net = layersOf(importModel({ bytes, file }));
    const { spans, trafficBytes } = new Partitioner(net, { capacityBytes: kib * 1024 }).best();
    expect(spans.flatMap((s) => s.layers)).toEqual(net.layers.map((l) => l.index));
    expect(trafficBytes).toBeLessThan(baseBytes(net));
    expect(spans.length).toBeGreaterThan(1);
    for (const s of spans.filter((x) => x.fits)) {
      let held = s.filterBytes + s.layers.reduce((sum, i) => sum + net.layers[i].stateBytes, 0);
      for (const [m, rows] of replayClosure(net, s.layers).rows)
        held += Math.min(net.maps[m].bytes, rows * net.maps[m].rowBytes);
      expect(held).toBeLessThanOrEqual(kib * 1024);
    }
  });
});
