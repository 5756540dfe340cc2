/** `fit --target`: what is written, what it says, and what it refuses. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CODE, smallModel, tfliteFile } from '../../src/model/tflite/testing/model-file.ts';
import { haveModels, MODELS, UNLESS_MODELS } from '../public-models-folder.ts';
import { temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const folder = temporaryFolder();
const at = (name: string) => path.join(folder, name);
const small = at('small.tflite');
fs.writeFileSync(small, tfliteFile(smallModel()));

/** The offsets in a file's plan: the last data in front of the old file, found by its header. */
function offsetsIn(file: string, old: string): number[] {
  const bytes = fs.readFileSync(file);
  const front = bytes.subarray(0, bytes.length - fs.statSync(old).size);
  const from = front.lastIndexOf(Buffer.from(Int32Array.of(1, 1, 5).buffer));
  expect(from).toBeGreaterThan(0);
  return Array.from({ length: 5 }, (_, i) => front.readInt32LE(from + 12 + 4 * i));
}

describe('fit --target', () => {
  test('tflite: the old file whole, a plan in front of it, and a page that says what is what', () => {
    const d = tidemarkJson(['fit', small, '--ram', '64K', '--target', 'tflite', '-o', at('out')]);
    expect(d.files.map((f: string) => path.basename(f))).toEqual([
      'plan.json',
      'report.html',
      'model.tflite',
      'README.txt',
    ]);
    expect(fs.readdirSync(at('out')).sort()).toEqual(d.files.map((f: string) => path.basename(f)).sort());
    const { offsets, ...figures } = d.targets.tflite;
    // The convolution's input of 240 bytes, and its output of 72, which rounds up to 80.
    expect(figures).toEqual({
      fits: true,
      headBytes: 320,
      greedyHeadBytes: 320,
      lowerBoundBytes: 320,
      optimal: true,
      cmsisNn: { headBytes: 320, greedyHeadBytes: 320 },
      inPlace: 0,
      unknownScratch: [],
      checked: true,
    });
    expect(offsetsIn(at('out/model.tflite'), small)).toEqual(offsets);
    expect(offsets.map((o: number) => o >= 0)).toEqual([true, false, false, true, true]);
    const written = fs.readFileSync(at('out/model.tflite'));
    const old = fs.readFileSync(small);
    expect(written.subarray(written.length - old.length).equals(old)).toBe(true);
    const readme = fs.readFileSync(at('out/README.txt'), 'utf8');
    for (const name of ['plan.json', 'report.html', 'model.tflite']) expect(readme).toContain(name);
    // What was written is a model like any other, and a plan is replaced by the next.
    const again = tidemarkJson(['fit', at('out/model.tflite'), '--target', 'tflite', '-o', at('again')]);
    expect(again.targets.tflite.offsets).toEqual(offsets);
  });

  test('onnx: the planned network, which reads back as a model with the same plan', () => {
    const d = tidemarkJson(['fit', 'zoo:ds-cnn', '--target', 'onnx', '-o', at('onnx')]);
    expect(d.targets.onnx.bytes).toBe(fs.statSync(at('onnx/model.onnx')).size);
    const again = tidemarkJson(['fit', at('onnx/model.onnx')]);
    expect(again.arenaBytes).toBe(d.arenaBytes);
    expect(again.macs).toBe(d.macs);
  });

  test('several targets, each once', () => {
    const args = [
      'fit',
      small,
      '--target',
      'tflite',
      '--target',
      'onnx',
      '--target',
      'onnx',
      '-o',
      at('both'),
    ];
    expect(Object.keys(tidemarkJson(args).targets)).toEqual(['tflite', 'onnx']);
  });

  test('a target that needs more than the budget makes the answer no', () => {
    const args = [
      'fit',
      small,
      '--ram',
      '300',
      '--input',
      'streamed',
      '--target',
      'tflite',
      '-o',
      at('tight'),
    ];
    const d = tidemarkJson(args, { status: 1 });
    expect(d.fits).toBe(true);
    expect(d.targets.tflite).toMatchObject({ fits: false, headBytes: 320 });
    expect(tidemark(args).stdout).toContain('320 bytes');
  });

  const two = { ...smallModel(), nodes: [{ code: CODE.IF, inputs: [0], outputs: [4] }] };
  fs.writeFileSync(at('control.tflite'), tfliteFile(two));
  const refusals: [what: string, args: string[], line: RegExp][] = [
    ['no folder', [small, '--target', 'tflite'], /--target tflite needs a folder to write to: -o DIR/],
    [
      'an unknown target',
      [small, '--target', 'elf', '-o', at('no')],
      /--target expects one of .*tflite.*, got 'elf'/,
    ],
    ['a zoo model', ['zoo:ds-cnn', '--target', 'tflite', '-o', at('no')], /zoo:ds-cnn is a zoo model/],
    [
      'an ONNX file',
      [at('onnx/model.onnx'), '--target', 'tflite', '-o', at('no')],
      /model\.onnx is an ONNX file/,
    ],
    ['control flow', [at('control.tflite'), '--target', 'tflite', '-o', at('no')], /control\.tflite: .*IF/],
  ];
  test.each(refusals)('refuses %s in one line, and writes nothing', (_, args, line) => {
    const { status, stdout, stderr } = tidemark(['fit', ...args]);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(status).toBe(2);
    expect(fs.existsSync(at('no'))).toBe(false);
  });

  test.skipIf(!haveModels)(`vww_96_int8 in 64 KiB${UNLESS_MODELS}`, () => {
    const model = path.join(MODELS, 'tflite/vww_96_int8.tflite');
    const d = tidemarkJson(['fit', model, '--ram', '64K', '--target', 'tflite', '-o', at('vww')]);
    expect(d.targets.tflite).toMatchObject({ headBytes: 55_296, greedyHeadBytes: 73_728, optimal: true });
    const args = ['fit', model, '--ram', '40K', '--target', 'tflite-reference', '-o', at('vww')];
    const { headBytes, overlaps, fits } = tidemarkJson(args).targets['tflite-reference'];
    expect({ headBytes, overlaps, fits }).toEqual({ headBytes: 36_896, overlaps: 23, fits: true });
    expect(fs.readFileSync(at('vww/README.txt'), 'utf8')).toMatch(
      /model-reference\.tflite\s+ONLY for firmware/,
    );
  });
});
