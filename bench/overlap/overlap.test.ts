/**
 * Writes bench/results/overlap.md: method 1 on its own chains, on object detectors and de-noisers (the two published
 * bands), on the whole zoo and on the public models; each plan proven by the checker. Beside it what exact packing
 * without overlap takes, and the milliseconds of solving.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { canStream } from '../../src/fit/limits.ts';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { type OverlapReport, overlapReport } from '../../src/report/overlap.ts';
import { zooGraph, zooNames } from '../../src/zoo/zoo.ts';
import { FORMATS, filesOf, haveModels } from '../../test/models/public-models.ts';
import { load } from '../../test/models/verify.ts';
import { MISSING } from '../../test/public-models-folder.ts';
import { writeResult, writtenBy } from '../report.ts';
import { type LayerwiseOptimum, layerwiseOptimum } from './layerwise.ts';

interface Size {
  readonly size?: readonly [height: number, width: number];
  readonly width?: number;
}

type Case = readonly [what: string, name: string, size: Size];

/** The chains whose figures are known exactly: ping-pong, overlapped. */
const CHAINS: readonly (readonly [...Case, number, number])[] = [
  ['VGG16', 'vgg16', {}, 6_422_528, 3_225_664],
  ['Tiny YOLO v2 at 416', 'tinyyolov2', { size: [416, 416] }, 3_461_120, 2_770_134],
  ['DnCNN-17, grey 40 x 40', 'dncnn-17', { size: [40, 40] }, 204_800, 105_024],
];

const DETECTORS: readonly Case[] = [
  ['Tiny YOLO v2 at 416', 'tinyyolov2', { size: [416, 416] }],
  ['Tiny YOLO v2 at 224', 'tinyyolov2', { size: [224, 224] }],
  ['Tiny YOLO v3 at 416', 'tinyyolov3', { size: [416, 416] }],
  ['SSD on MobileNet v1 at 300', 'ssd-mobilenetv1-300', {}],
  ['SSD on MobileNet v1 0.25 at 300', 'ssd-mobilenetv1-300', { width: 0.25 }],
  ['SSD on MobileNet v1 0.25 at 480 x 640', 'ssd-mobilenetv1-300', { width: 0.25, size: [480, 640] }],
];

const PUBLIC_DETECTORS = [
  'ssd_mobilenet_v1_coco_uint8.tflite',
  'mcunet_detection_int8.tflite',
  'person_detect_int8.tflite',
  'face_detection_front_f16w.tflite',
  'ultraface_rfb_320.onnx',
  'ultraface_slim_320_simplified.onnx',
  'yunet_n_320.onnx',
  'nanodet_m_320.onnx',
  'fastestdet_352.onnx',
  'yolox_nano_416.onnx',
];

const DENOISERS: readonly Case[] = [
  ['DnCNN-17, grey 40 x 40', 'dncnn-17', { size: [40, 40] }],
  ['DnCNN-17, grey 64 x 64', 'dncnn-17', { size: [64, 64] }],
  ['DnCNN-17, grey 256 x 256', 'dncnn-17', { size: [256, 256] }],
];

const lines = {
  chains: [] as string[],
  detectors: [] as string[],
  denoisers: [] as string[],
  all: [] as string[],
};
const best = { detector: 0, detectorWithWeights: 0, denoiser: 0, slowest: 0 };

function build(name: string, size: Size): Graph {
  return normalise(zooGraph(name, { dtype: 'int8', ...size }));
}

function overlapped(graph: Graph): OverlapReport {
  const granularity = 'pixel';
  const found = overlapGraph(graph, { policy: { input: 'reuse', output: 'whole' }, granularity });
  return overlapReport(graph, found, { granularity });
}

/** What is known of a plan: least of all directions, of its own directions, or a bound below it. */
function certainty({ arenaBytes, floorBytes, optimal, lowerBoundBytes }: OverlapReport): string {
  if (arenaBytes <= floorBytes) return 'any direction';
  return optimal ? 'its directions' : `no (${lowerBoundBytes})`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function bandLine(what: string, r: OverlapReport): string {
  const cells = [
    what,
    r.pingpongBytes,
    r.pingpongFixedBytes ?? '–',
    r.overlapBytes,
    percent(r.saving),
    r.weightBytes,
    percent(r.savingWithWeights),
    r.arenaBytes,
    certainty(r),
  ];
  return `| ${cells.join(' | ')} |`;
}

function detector(what: string, r: OverlapReport): void {
  best.detector = Math.max(best.detector, r.saving);
  best.detectorWithWeights = Math.max(best.detectorWithWeights, r.savingWithWeights);
  lines.detectors.push(bandLine(what, r));
}

function denoiser(what: string, r: OverlapReport): void {
  best.denoiser = Math.max(best.denoiser, r.saving);
  lines.denoisers.push(bandLine(what, r));
}

function network(what: string, graph: Graph): OverlapReport {
  const whole = layerwiseOptimum(graph);
  const r = overlapped(graph);
  best.slowest = Math.max(best.slowest, whole.milliseconds);
  lines.all.push(allLine(what, whole, r));
  expect(whole.proven, what).toBe(true);
  expect(whole.milliseconds, what).toBeLessThan(50);
  expect(r.arenaBytes).toBeLessThanOrEqual(whole.bytes);
  return r;
}

function allLine(what: string, whole: LayerwiseOptimum, r: OverlapReport): string {
  const cells = [
    what,
    r.pingpongBytes,
    whole.bytes,
    whole.bytes === whole.loadBytes ? 'bound met' : `proven, bound ${whole.loadBytes}`,
    whole.milliseconds.toFixed(1),
    r.overlapBytes,
    percent(r.saving),
    percent(1 - r.overlapBytes / whole.bytes),
    r.arenaBytes,
    certainty(r),
  ];
  return `| ${cells.join(' | ')} |`;
}

test.each(CHAINS)('%s', (what, name, size, pingpong, least) => {
  const r = overlapped(build(name, size));
  lines.chains.push(
    `| ${[what, pingpong, r.pingpongBytes, least, r.overlapBytes, percent(r.saving)].join(' | ')} |`,
  );
  expect([r.pingpongBytes, r.overlapBytes]).toEqual([pingpong, least]);
});

test.each(DETECTORS)('detector: %s', (what, name, size) => detector(what, overlapped(build(name, size))));

test.each(DENOISERS)('de-noiser: %s', (what, name, size) => denoiser(what, overlapped(build(name, size))));

test.each(zooNames())('%s', (name) => {
  network(name, build(name, {}));
});

describe.skipIf(!haveModels)(`public models${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test.each(FORMATS.flatMap(filesOf))('%s', (file) => {
    const loaded = load(file);
    if ('refused' in loaded || !canStream(loaded.graph)) return;
    const r = network(file, loaded.graph);
    if (PUBLIC_DETECTORS.includes(file)) detector(file, r);
    write();
  });
});

afterAll(write);

function table(head: readonly string[], rows: readonly string[]): string[] {
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows];
}

const BAND = [
  'network',
  'ping-pong',
  'fixed regions',
  'overlapped',
  'saved',
  'weights',
  'saved with weights',
  'plan, scratch included',
  'none smaller with',
];

function write(): void {
  const text = [
    '# Overlapped activation mapping: bytes',
    '',
    writtenBy('bench:overlap'),
    'Zoo networks at int8, public models in their own types. Pixel by pixel; input and output in the arena. Every plan passed the checker. [docs/overlap.md](../../docs/overlap.md) explains the columns.',
    '',
    '## Known exactly',
    '',
    ...table(
      ['chain', 'ping-pong, known', 'ping-pong', 'overlapped, known', 'overlapped', 'saved'],
      lines.chains,
    ),
    '',
    '## Object detectors',
    '',
    `Published: up to 32.9 % below ping-pong, up to 23.9 % with the weights. Here: up to ${percent(best.detector)}, and ${percent(best.detectorWithWeights)} with weights.`,
    '',
    ...table(BAND, lines.detectors),
    '',
    '## De-noisers',
    '',
    `Published: 48.8 %. Here: up to ${percent(best.denoiser)}.`,
    '',
    ...table(BAND, lines.denoisers),
    '',
    '## All networks, with and without overlap',
    '',
    `Layer by layer without overlap every network is packed to the proven least; the slowest takes ${best.slowest.toFixed(1)} ms of solving (of the processor).`,
    '',
    ...table(
      [
        'network',
        'ping-pong',
        'layer by layer',
        'its bound',
        'solved in, ms',
        'overlapped',
        'below ping-pong',
        'below layer by layer',
        'plan, scratch included',
        'none smaller with',
      ],
      lines.all,
    ),
  ];
  writeResult('overlap.md', text);
}
