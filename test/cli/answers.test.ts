/** Trained models give the right answers on real pictures, each run on the plan that `fit` wrote. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNpz } from '../../src/run/input/npz.ts';
import { haveModels, MODELS, UNLESS_MODELS } from '../public-models-folder.ts';
import { temporaryFolder, tidemarkJson } from './tidemark.ts';

const picture = (name: string) => path.join(MODELS, 'images', name);
const folder = temporaryFolder();

/** Fits a model, runs the plan on a picture, and gives the document. */
function answerOf(model: string, image: string, ...how: readonly string[]) {
  const file = path.join(MODELS, model);
  const out = path.join(folder, path.basename(model));
  if (!fs.existsSync(out)) {
    expect(tidemarkJson(['fit', file, '--ram', 'min', '-o', out])).toMatchObject({
      fits: true,
      checked: true,
    });
  }
  return tidemarkJson([
    'run',
    file,
    '--plan',
    path.join(out, 'plan.json'),
    '--input',
    picture(image),
    ...how,
  ]);
}

const best = (document: { outputs: { top5: { index: number; value: number }[] }[] }) =>
  document.outputs[0].top5[0];

/** Centre and size of each prior box as shares of a picture of 320 x 240, in the network's order. */
function ultraFacePriors(): readonly (readonly [number, number, number, number])[] {
  const boxes = [
    [10, 16, 24],
    [32, 48],
    [64, 96],
    [128, 192, 256],
  ];
  return boxes.flatMap((sizes, k) => {
    const stride = 8 << k;
    const columns = Math.ceil(320 / stride);
    const cells = Array.from({ length: columns * Math.ceil(240 / stride) }, (_, i) => i);
    return cells.flatMap((i) =>
      sizes.map((size) => {
        const x = (((i % columns) + 0.5) * stride) / 320;
        const y = ((Math.floor(i / columns) + 0.5) * stride) / 240;
        return [x, y, size / 320, size / 240] as const;
      }),
    );
  });
}

describe.skipIf(!haveModels)(`real answers${UNLESS_MODELS}`, () => {
  it('visual wake words: 4K is refused with what it takes, 64K gets the cheapest plan and not the smallest', () => {
    const model = path.join(MODELS, 'tflite/vww_96_int8.tflite');
    const refused = tidemarkJson(['fit', model, '--ram', '4K'], { status: 1 });
    expect(refused).toMatchObject({ fits: false, ramBudgetBytes: 4096, smallestBytes: refused.arenaBytes });
    expect(refused.smallestBytes).toBeLessThanOrEqual(32 * 1024);
    const fitted = tidemarkJson(['fit', model, '--ram', '64K']);
    expect(fitted).toMatchObject({ fits: true, checked: true });
    expect(fitted.arenaBytes).toBeGreaterThan(refused.smallestBytes);
    expect(fitted.arenaBytes).toBeLessThanOrEqual(64 * 1024);
    // Whole tensors cost no firing more than layer by layer.
    expect(new Set(fitted.spans.map((s: { mode: string }) => s.mode))).toEqual(new Set(['whole']));
  });

  it('person_detect tells a person from none', () => {
    const model = 'tflite/person_detect_int8.tflite';
    expect(best(answerOf(model, 'person.bmp', '--preprocess', 'raw-reinterpret')).index).toBe(1);
    expect(best(answerOf(model, 'no_person.bmp', '--preprocess', 'raw-reinterpret')).index).toBe(0);
  });

  it.each([
    ['chelsea.png', 285, 0.584],
    ['coffee.png', 967, 0.983],
    ['bird.bmp', 19, 0.974],
  ])('SqueezeNet 1.1 knows %s', (image, index, score) => {
    const top = best(answerOf('onnx/squeezenet1.1_fp16.onnx', image, '--preprocess', 'caffe'));
    expect(top.index).toBe(index);
    expect(top.value).toBeCloseTo(score, 1);
  });

  it.each([
    ['chelsea.png', 283],
    ['coffee.png', 968],
    ['bird.bmp', 20],
  ])('MobileNetV2 in uint8 knows %s', (image, index) => {
    expect(best(answerOf('tflite/mobilenet_v2_10_224_uint8.tflite', image)).index).toBe(index);
  });

  it.each([
    ['astronaut.png', 1],
    ['chelsea.png', 0],
  ])('visual wake words on %s', (image, index) => {
    expect(best(answerOf('tflite/vww_96_int8.tflite', image)).index).toBe(index);
  });

  it('reads a nine', () => {
    expect(best(answerOf('tflite/mnist_cnn_float.tflite', 'mnist_nine.bmp')).index).toBe(9);
  });

  it('UltraFace finds the face of the astronaut', () => {
    const file = path.join(folder, 'faces.npz');
    answerOf(
      'onnx/ultraface_slim_320_simplified.onnx',
      'astronaut.png',
      '--resize',
      'stretch',
      '--mean',
      '127',
      '--std',
      '128',
      '-o',
      file,
    );
    const arrays = readNpz(fs.readFileSync(file), file);
    const scores = arrays.get('scores')!.values;
    const offsets = arrays.get('boxes')!.values;
    const priors = ultraFacePriors();
    expect(scores.length).toBe(priors.length * 2);
    let at = 0;
    for (let i = 0; i < priors.length; i++) if (scores[i * 2 + 1] > scores[at * 2 + 1]) at = i;
    expect(scores[at * 2 + 1]).toBeGreaterThan(0.9);
    // The network gives offsets from its priors, scaled by 0.1 for the centre and 0.2 for the size.
    const [cx, cy, w, h] = priors[at];
    const face = {
      x: cx + offsets[at * 4] * 0.1 * w,
      y: cy + offsets[at * 4 + 1] * 0.1 * h,
      width: w * Math.exp(offsets[at * 4 + 2] * 0.2),
      height: h * Math.exp(offsets[at * 4 + 3] * 0.2),
    };
    // Shares of the picture: the face is above the middle, a little to the left.
    expect(Math.abs(face.x - 0.44)).toBeLessThan(0.03);
    expect(Math.abs(face.y - 0.23)).toBeLessThan(0.04);
    expect(face.width).toBeGreaterThan(0.12);
    expect(face.width).toBeLessThan(0.28);
    expect(face.height).toBeGreaterThan(0.15);
    expect(face.height).toBeLessThan(0.35);
  });
});
