/**
 * Writes bench/results/boards.md: the public int8 models on emulated boards, beside TensorFlow Lite Micro with
 * CMSIS-NN on the same emulated processor. Every row is a run whose answer equals the reference.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { kernelsFor } from '../../src/boards/kernels.ts';
import { partOf } from '../../src/boards/parts.ts';
import { buildFor, runBuilt } from '../../src/cli/board/on-board.ts';
import { quantised } from '../../src/cli/board/quantised.ts';
import { missingTools } from '../../src/cli/board/toolchain.ts';
import { loadInputs } from '../../src/cli/inputs.ts';
import { importModel } from '../../src/compile.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { FileArray } from '../../src/run/input/file-array.ts';
import { runReference } from '../../src/run/reference.ts';
import { haveModels, MISSING, MODELS } from '../../test/public-models-folder.ts';
import { writeResult, writtenBy } from '../report.ts';
import { bestFace, type Face, type Outputs, overlap } from './face.ts';
import { BUS, inputOf } from './inputs.ts';
import { anomalyScore, meanScore } from './sound/anomaly-score.ts';
import { NO_BUS } from './sound/bus.ts';

const why = missingTools() ?? (haveModels ? undefined : MISSING);

interface Peer {
  readonly arenaBytes: number;
  readonly stackBytes: number;
  readonly instructions: number;
  readonly m55Instructions?: number;
}

interface Case {
  readonly model: string;
  readonly name: string;
  readonly input: string;
  /** TensorFlow Lite Micro with CMSIS-NN, -O2, measured with the same emulator and counting plugin. */
  readonly peer: Peer;
}

const CASES: readonly Case[] = [
  {
    model: 'person_detect_int8',
    name: 'person_detect',
    input: 'person_detect_int8.person',
    peer: { arenaBytes: 82228, stackBytes: 1444, instructions: 22930675, m55Instructions: 6510113 },
  },
  {
    model: 'vww_96_int8',
    name: 'VWW',
    input: 'vww_96_int8.astronaut',
    peer: { arenaBytes: 100628, stackBytes: 1636, instructions: 24103956, m55Instructions: 6560792 },
  },
  {
    model: 'resnet8_cifar_int8',
    name: 'IC',
    input: 'resnet8_cifar_int8.bird',
    peer: { arenaBytes: 54916, stackBytes: 1636, instructions: 29865060, m55Instructions: 4913644 },
  },
  {
    model: 'kws_dscnn_int8',
    name: 'KWS',
    input: 'kws_dscnn_int8.mlperf_sample',
    peer: { arenaBytes: 22740, stackBytes: 1636, instructions: 7698876, m55Instructions: 1815280 },
  },
  {
    model: 'ad_toycar_int8',
    name: 'AD',
    input: BUS,
    peer: { arenaBytes: 2500, stackBytes: 1156, instructions: 587241 },
  },
  {
    model: 'streaming_wakeword_int8',
    name: 'SWW',
    input: 'streaming_wakeword_int8.calib0_label2',
    peer: { arenaBytes: 16516, stackBytes: 1292, instructions: 2228203 },
  },
];

const policy = { input: 'reuse', output: 'whole' } as const;
const number = (n: number) => n.toLocaleString('en-GB');
const millions = (n: number) => (n / 1e6).toFixed(2);
/** Stack and data of every firmware here are below this. */
const REST_BYTES = 640;

const rows: string[] = [];
const m55: string[] = [];
const small: string[] = [];
const face: string[] = [];
const sound: string[] = [];

function measure({ model, input }: Case, board: string, ram: number | 'min') {
  const file = join(MODELS, `tflite/${model}.tflite`);
  const graph = importModel({ bytes: new Uint8Array(readFileSync(file)), file });
  const built = buildFor(graph, partOf(board)!, { policy, ram });
  expect(built.firmware.fits).toBe(true);
  const real = inputOf(graph, input);
  const run = runBuilt(graph, built, real);
  expect(run.equal).toBe(true);
  if (real.expected) expect(Array.from(run.outputs[0].values)).toEqual(Array.from(real.expected));
  expect(run.touchedBytes).toBe(built.plan.arenaBytes);
  const { firmware, plan } = built;
  expect(run.stackBytes).toBeLessThanOrEqual(firmware.stackBoundBytes);
  const ramBytes = plan.arenaBytes + firmware.dataBytes + firmware.stackBoundBytes;
  return { graph, plan, firmware, run, real, ramBytes };
}

describe.skipIf(why !== undefined)(`boards${why ? ` (skipped: ${why})` : ''}`, () => {
  test.each(CASES)('$name on an STM32F405', (c) => {
    const half = Math.max(1, Math.floor(c.peer.arenaBytes / 2) - REST_BYTES);
    for (const [how, ram] of [
      ['smallest', 'min'],
      ['half of theirs', half],
    ] as const) {
      const { graph, plan, firmware, run, real, ramBytes } = measure(c, 'stm32f405', ram);
      rows.push(
        `| ${c.name} | ${how} | ${real.what} | ${number(plan.arenaBytes)} | ${run.stackBytes} of ${firmware.stackBoundBytes} | ${firmware.dataBytes} | ${number(ramBytes)} | ${number(c.peer.arenaBytes)} | ${(c.peer.arenaBytes / ramBytes).toFixed(2)} | ${number(firmware.flashBytes)} | ${millions(run.instructions)} | ${millions(c.peer.instructions)} | ${(c.peer.instructions / run.instructions).toFixed(2)} |`,
      );
      if (!real.heard || ram !== 'min') continue;
      const { title, seconds, vectors, middle } = real.heard;
      const score = anomalyScore(graph, middle, run.outputs[0].values);
      sound.push(
        `AD hears five frames, 192 ms, from the middle of ${seconds.toFixed(1)} s of OpenSFX's recording ${title}`,
        `Its anomaly score there, the mean squared error, is ${score.toFixed(1)}; over all ${vectors.length} places of the recording, by`,
        `the reference, ${meanScore(graph, vectors).toFixed(1)}. It knows toy cars, not buses: [docs/boards.md](../../docs/boards.md#figures).`,
      );
    }
  });

  test.each(CASES)('$name on a Cortex-M55', (c) => {
    const half = Math.max(1, Math.floor(c.peer.arenaBytes / 2) - REST_BYTES);
    const { plan, run } = measure(c, 'mps3-an547', half);
    const theirs = c.peer.m55Instructions;
    m55.push(
      `| ${c.name} | ${number(plan.arenaBytes)} | ${millions(run.instructions)} | ${theirs ? millions(theirs) : '-'} | ${theirs ? (theirs / run.instructions).toFixed(2) : '-'} |`,
    );
  });

  test.each(['nrf52832', 'lpc1768'])('VWW on %s', (board) => {
    const { plan, firmware, run, ramBytes } = measure(CASES[1], board, 'min');
    const part = partOf(board)!;
    small.push(
      `| ${part.title} (${part.core}) | ${number(part.ramBytes)} | ${number(plan.arenaBytes)} | ${number(ramBytes)} | ${number(firmware.flashBytes)} of ${number(part.flashBytes)} | ${millions(run.instructions)} |`,
    );
  });

  test('a face detector takes a picture row by row on a Cortex-M55', () => {
    const file = join(MODELS, 'onnx/yunet_n_320.onnx');
    const picture = join(MODELS, 'images/astronaut.png');
    const graph = importModel({ bytes: new Uint8Array(readFileSync(file)), file });
    const options = { resize: 'stretch', color: 'bgr', preprocess: '0..255' } as const;
    const given = loadInputs(graph, { ...options, input: [picture], seed: 1 });
    const real = (g: Graph, arrays: readonly FileArray[]): Outputs =>
      new Map(
        g.outputs.map(({ name, tensor }, i) => {
          const { quant } = g.tensors[tensor];
          const values = Array.from(arrays[i].values, Number);
          return [name, quant ? values.map((v) => (v - quant.zeroPoint[0]) * quant.scale[0]) : values];
        }),
      );
    const asFloat = bestFace(
      real(
        graph,
        runReference(
          graph,
          given.arrays.map((a) => a.values),
        ).map(({ shape, values }) => ({ dtype: 'f32', shape, values })),
      ),
    );
    const { graph: int8, inputs } = quantised(graph, given);
    const part = partOf('mps3-an547')!;
    const built = buildFor(int8, part, { policy: { input: 'streamed', output: 'streamed' }, ram: 'min' });
    expect(built.firmware.fits).toBe(true);
    const run = runBuilt(int8, built, inputs);
    expect(run.equal).toBe(true);
    const onBoard = bestFace(real(int8, run.outputs));
    expect(onBoard.score).toBeGreaterThan(0.5);
    expect(overlap(asFloat, onBoard)).toBeGreaterThan(0.5);
    const source = built.plan.actors.find((a) => a.kind === 'source')!;
    const { dataBytes, stackBoundBytes, flashBytes } = built.firmware;
    const pixels = (box: Face['box']) => box.map((v) => Math.round(v)).join(', ');
    face.push(
      '| what | figure |',
      '| --- | --: |',
      `| picture, RGB bytes that are never in memory at once | ${number(3 * 320 * 320)} |`,
      `| pixels that the network takes at a time | ${number(source.run)} |`,
      `| arena | ${number(built.plan.arenaBytes)} |`,
      `| static data, with the camera's line of ${number(3 * 320)} | ${number(dataBytes)} |`,
      `| RAM: arena, data and stack's bound | ${number(built.plan.arenaBytes + dataBytes + stackBoundBytes)} |`,
      `| flash | ${number(flashBytes)} |`,
      `| M instructions | ${millions(run.instructions)} |`,
      `| best face in floats: score; left, top, width, height | ${asFloat.score.toFixed(3)}; ${pixels(asFloat.box)} |`,
      `| best face on the board | ${onBoard.score.toFixed(3)}; ${pixels(onBoard.box)} |`,
      `| overlap of the two (intersection over union) | ${overlap(asFloat, onBoard).toFixed(3)} |`,
    );
  });

  afterAll(() => {
    writeResult(
      'boards.md',
      `# Models on emulated boards

${writtenBy('bench:boards')} Kernels: ${kernelsFor('cortex-m4').name} on Cortex-M4, ${kernelsFor('cortex-m55').name} on
Cortex-M55. Each row is a run of the whole firmware under QEMU on a real input, equal bit for bit to the layer-by-layer reference and,
where the public models have their answer (all but AD), to TFLite's reference kernels. Every byte of the arena was written.
Instructions are exact, of one inference, without reading the input and writing the result; they are not cycles. "Theirs" is TensorFlow Lite Micro with CMSIS-NN, its
arena alone and its instructions, on the same emulated processor. How it is measured: [docs/boards.md](../../docs/boards.md).

## STM32F405 (Cortex-M4), 128 KB of RAM

RAM is arena, static data and the bound of the stack. Stack: highest water of bound.

| model | plan | input | arena | stack | data | RAM | their arena | times less | flash | M instructions | theirs | times fewer |
| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |
${rows.join('\n')}

${sound.join('\n') || `AD's input is made up: ${NO_BUS}.`}

## Cortex-M55 (MPS3 AN547)

| model | arena | M instructions | theirs, with Helium | times fewer |
| --- | --: | --: | --: | --: |
${m55.join('\n')}

## VWW where their arena of 100,628 bytes cannot exist

| part | its RAM | arena | RAM taken | flash taken | M instructions |
| --- | --: | --: | --: | --: | --: |
${small.join('\n')}

## A face detector, row by row

YuNet (\`yunet_n_320.onnx\`), quantised to int8 here, with scales from the picture \`astronaut.png\`, on a Cortex-M55. Its input is streamed: the
firmware's camera gives each line of the picture once, in order, into a buffer of one line, and the network takes pixels from there when it needs them.

${face.join('\n')}
`,
    );
  });
});
