/** Models that cannot be: each ends in exit code 2 and one line that says what is wrong, at once, and nothing is written. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { importModel, planGraph, TidemarkError, tensorBytes } from '../../src/index.ts';
import { smallModel, tfliteFile } from '../../src/model/tflite/testing/model-file.ts';
import { floats, seeded, type TinyModel, tinyCnn, tinyModel } from '../onnx/tiny-model.ts';
import { processorSeconds, temporaryFolder, tidemark } from './tidemark.ts';

const folder = temporaryFolder();
const cnn = tinyModel(tinyCnn());
const lite = tfliteFile(smallModel());

const shaped = (shape: readonly (number | string)[]): TinyModel => ({ ...tinyCnn(), inputs: { x: shape } });

const outside: TinyModel = {
  ...tinyCnn(),
  weights: [
    {
      name: 'w',
      dims: [4n, 3n, 3n, 3n],
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'weights.bin' }],
    },
    tinyCnn().weights![1],
  ],
};

const cycle: TinyModel = {
  inputs: { x: [1, 4] },
  outputs: ['b'],
  nodes: [
    { op: 'Add', in: ['x', 'b'], out: ['a'], name: 'first' },
    { op: 'Relu', in: ['a'], out: ['b'], name: 'second' },
  ],
};

const CASES: readonly (readonly [what: string, file: string, bytes: Uint8Array, line: RegExp])[] = [
  ['an empty file', 'empty.onnx', new Uint8Array(0), /^empty\.onnx: the file is empty$/],
  ['an empty TFLite file', 'empty.tflite', new Uint8Array(0), /^empty\.tflite: the file is empty$/],
  ['a JPEG', 'cat.onnx', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), /^cat\.onnx: .*a JPEG picture$/],
  ['a cut ONNX file', 'cut.onnx', cnn.subarray(0, cnn.length >> 1), /^cut\.onnx: .*damaged or cut off/],
  [
    'a cut TFLite file',
    'cut.tflite',
    lite.subarray(0, lite.length >> 1),
    /^cut\.tflite: damaged FlatBuffers/,
  ],
  ['a cycle', 'cycle.onnx', tinyModel(cycle), /^cycle\.onnx: node (first|second)/],
  ['missing external data', 'outside.onnx', tinyModel(outside), /^outside\.onnx: .*weights\.bin/],
  [
    'an unknown operator',
    'unknown.onnx',
    tinyModel({
      ...cycle,
      outputs: ['y'],
      nodes: [{ op: 'Frobnicate', in: ['x'], out: ['y'], name: 'frob' }],
    }),
    /^unknown\.onnx: node frob.*Frobnicate/,
  ],
  [
    'an open dimension',
    'open.onnx',
    tinyModel(shaped([1, 3, 'height', 8])),
    /^open\.onnx: input x .*--shape x=/,
  ],
  [
    'weights that do not fit',
    'weights.onnx',
    tinyModel({ ...tinyCnn(), weights: [floats('w', [4, 5, 3, 3], seeded(180)), tinyCnn().weights![1]] }),
    /^weights\.onnx: node conv/,
  ],
  [
    'weights that are short',
    'short.onnx',
    tinyModel({
      ...tinyCnn(),
      weights: [floats('w', [4, 3, 3, 3], seeded(7)), tinyCnn().weights![1]],
    }),
    /^short\.onnx: tensor w: .*432 bytes/,
  ],
  [
    'sizes that overflow',
    'overflow.onnx',
    tinyModel(shaped([1, 3, 2 ** 31 - 1, 2 ** 31 - 1])),
    /^overflow\.onnx: input x: .*cannot be held/,
  ],
  [
    'sizes that no machine here holds',
    'large.onnx',
    tinyModel(shaped([1, 3, 20_000, 20_000])),
    /conv.*the limit is 1073741824/,
  ],
];

/** Processor time of starting the program. */
const startSeconds = processorSeconds(['--version']);

describe('one line, exit code 2, within a second of processor time', () => {
  it.each(CASES)('%s', (_, name, bytes, line) => {
    fs.writeFileSync(path.join(folder, name), bytes);
    const args = ['fit', name, '--ram', '64K', '-o', 'out'];
    const { status, stdout, stderr } = tidemark(args, { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^tidemark: [^\n]+\n$/);
    expect(stderr.slice('tidemark: '.length, -1)).toMatch(line);
    expect(processorSeconds(args, { cwd: folder }) - startSeconds).toBeLessThan(1);
    expect(fs.existsSync(path.join(folder, 'out'))).toBe(false);
  });
});

const LARGE_BYTES = 2 ** 20;

test.each([
  ['x.onnx', cnn],
  ['x.tflite', lite],
])('%s with a bit flipped anywhere: a plan, or one error of ours', (file, bytes) => {
  const policy = { input: 'reuse', output: 'whole' } as const;
  const counts = { read: 0, refused: 0 };
  for (const u of seeded(150, 11)) {
    const bit = Math.floor(((u + 1) / 2) * bytes.length * 8);
    const damaged = bytes.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    try {
      const graph = importModel({ bytes: damaged, file });
      counts.read++;
      // A flipped size may give a right model that is merely large, and takes long.
      if (graph.tensors.every((t) => tensorBytes(t) < LARGE_BYTES)) planGraph(graph, { policy });
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw new Error(`bit ${bit}: ${(error as Error).stack}`);
      expect(error.code, `bit ${bit}: ${error.message}`).not.toBe('internal');
      expect(error.message).not.toContain('\n');
      counts.refused++;
    }
  }
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(10);
});
