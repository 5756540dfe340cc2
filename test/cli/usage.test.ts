/** Bad usage and bad input: exit code 2, nothing on stdout, one line on stderr, never a stack trace. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, tidemark } from './tidemark.ts';

const folder = temporaryFolder();
const file = (name: string, content: string | Uint8Array) => {
  const full = path.join(folder, name);
  fs.writeFileSync(full, content);
  return full;
};
const onnx = (() => {
  const full = path.join(folder, 'ds-cnn.onnx');
  const result = tidemark(['zoo', 'ds-cnn', '-o', full]);
  if (result.status !== 0) throw new Error(result.stderr);
  return full;
})();

/** What stderr says, after checking that it is one line and all there is. */
function refusal(args: readonly string[]): string {
  const started = performance.now();
  const { status, stdout, stderr } = tidemark(args, { cwd: folder });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^tidemark: [^\n]+\n$/);
  expect(stderr).not.toMatch(/unexpected error|\bat .*:\d+:\d+/);
  expect(performance.now() - started).toBeLessThan(10_000);
  return stderr.slice('tidemark: '.length, -1);
}

describe('bad usage', () => {
  it.each([
    [['fitt', 'zoo:resnet8'], "unknown command 'fitt'; did you mean fit?"],
    [['fit', 'zoo:resnet8', '--rma', '4K'], "unknown option '--rma'; did you mean --ram?"],
    [['fit'], "missing required argument 'model' (see: tidemark fit --help)"],
    [
      ['fit', 'zoo:resnet8', 'more'],
      "too many arguments for 'fit'. Expected 1 argument but got 2. (see: tidemark fit --help)",
    ],
    [['check', 'zoo:resnet8'], 'check needs a budget: --ram SIZE, --bank NAME=SIZE or --board NAME'],
    [
      ['fit', 'zoo:resnet8', '--ram', '64Q'],
      "--ram (or 'min') expects a size such as 65536, 64K, 64KiB or 1.5M, got '64Q'",
    ],
    [
      ['fit', 'zoo:resnet8', '--ram', '-4'],
      "--ram (or 'min') expects a size such as 65536, 64K, 64KiB or 1.5M, got '-4'",
    ],
    [
      ['fit', 'zoo:resnet8', '--ram', '0'],
      "--ram (or 'min') expects a size such as 65536, 64K, 64KiB or 1.5M, got '0'",
    ],
    [
      ['fit', 'zoo:resnet8', '--max-overhead', 'x'],
      "--max-overhead expects a percentage such as 10 or 8.6%, got 'x'",
    ],
    [
      ['fit', 'zoo:resnet8', '--input', 'kept'],
      "--input expects one of reuse, keep, external, streamed, got 'kept'",
    ],
    [['profile', 'zoo:resnet8', '--dtype', 'int4'], "--dtype expects one of f32, int8, got 'int4'"],
    [
      ['profile', 'zoo:resnet8', '--shape', 'input=1x0x3'],
      "--shape expects NAME=1x3x224x224 with positive sizes, got 'input=1x0x3'",
    ],
    [['profile', 'zoo:resnet8', '--shape', 'input=1x3'], '--shape: zoo:resnet8 has a fixed input size'],
    [
      ['zoo', 'resnet8', '--json', '-o', '/dev/null/x.onnx'],
      /^\/dev\/null\/x\.onnx: it cannot be written \(E[A-Z]+\)$/,
    ],
  ])('%j', (args, line) => {
    const said = refusal(args);
    if (typeof line === 'string') expect(said).toBe(line);
    else expect(said).toMatch(line);
  });

  it('names every network when one is unknown', () => {
    expect(refusal(['profile', 'zoo:resnet9'])).toMatch(
      /^no zoo model resnet9: expected one of alexnet, .*resnet8/,
    );
  });

  it('prints the help on stderr when nothing is asked for', () => {
    const { status, stdout, stderr } = tidemark([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: tidemark/);
  });
});

describe('bad models', () => {
  it.each([
    ['missing.onnx', undefined, 'missing.onnx: no such file'],
    ['empty.onnx', '', 'empty.onnx: the file is empty'],
    [
      'picture.onnx',
      Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]),
      'picture.onnx: expected an ONNX or TFLite model, but this is a JPEG picture',
    ],
    [
      'archive.tflite',
      'PK\x03\x04aaaa',
      'archive.tflite: expected an ONNX or TFLite model, but this is a zip archive (a PyTorch or Keras file? export it as ONNX or TFLite)',
    ],
    [
      'page.onnx',
      '<!doctype html>',
      'page.onnx: expected an ONNX or TFLite model, but this is an HTML or XML page (a failed download?)',
    ],
    [
      'text.tflite',
      'hello, world',
      'text.tflite: expected an ONNX or TFLite model, but a TFLite file has TFL3 at byte 4, this one has not',
    ],
    ['text.onnx', 'hello, world', 'text.onnx: expected an ONNX or TFLite model, but its first byte is 0x68'],
    ['.', undefined, '.: this is a folder, a file is needed'],
  ])('%s', (name, content, line) => {
    if (content !== undefined) file(name, content);
    expect(refusal(['profile', name])).toBe(line);
  });

  it('refuses a cut file, naming it', () => {
    const bytes = fs.readFileSync(onnx);
    for (const share of [0.001, 0.1, 0.5, 0.9, 0.999]) {
      file('cut.onnx', bytes.subarray(0, Math.floor(bytes.length * share)));
      expect(refusal(['profile', 'cut.onnx'])).toMatch(/^cut\.onnx: /);
    }
  });

  it('says what a file of 3 GiB is without reading it', () => {
    const full = path.join(folder, 'huge.onnx');
    fs.closeSync(fs.openSync(full, 'w'));
    fs.truncateSync(full, 3 * 2 ** 30);
    expect(refusal(['profile', 'huge.onnx'])).toBe(
      'huge.onnx: 3221225472 bytes; the limit is 2147483648 (--limit fileBytes=N raises it)',
    );
  });
});

describe('bad inputs and plans', () => {
  it.each([
    [['run', onnx, '--input', 'none.npy'], 'none.npy: no such file'],
    [['run', onnx, '--input', 'short.bin'], /^short\.bin: 3 bytes, input input0 takes 1960/],
    [
      ['run', onnx, '--input', 'notes.txt'],
      'notes.txt: an input is a .npy, .npz, .png, .jpg, .bmp or .bin file',
    ],
    [
      ['run', onnx, '--input', 'bad.png'],
      'bad.png: expected a PNG, JPEG or BMP picture, but its content is none',
    ],
    [
      ['run', onnx, '--input', 'short.bin', 'short.bin'],
      /^--input gives 2 inputs, the model has 1 \(input0\)/,
    ],
    [
      ['run', onnx, '--preprocess', 'vgg'],
      /^--preprocess expects one of 0\.\.1, -1\.\.1, 0\.\.255, imagenet, caffe, raw/,
    ],
    [['run', onnx, '-o', 'y.txt'], "--output expects a .npy or .npz file, got 'y.txt'"],
    [['run', onnx, '--plan', 'notes.txt'], 'notes.txt: this is no JSON, so no plan'],
    [['run', onnx, '--plan', 'other.json'], /^other\.json: this is no plan of version 1: /],
    [
      ['run', onnx, '--plan', 'deep.json'],
      'deep.json: lists stand 20001 deep in each other; the limit is 100 (--limit nesting=N raises it)',
    ],
  ])('%j', (args, line) => {
    file('short.bin', 'abc');
    file('notes.txt', 'abc');
    file('bad.png', 'abc');
    file('other.json', '{"format": "other"}');
    file('deep.json', `{"schedule": ${'[1,'.repeat(20_000)}1${']'.repeat(20_000)}}`);
    const said = refusal(args);
    if (typeof line === 'string') expect(said).toBe(line);
    else expect(said).toMatch(line);
  });
});

describe('what is asked of every command', () => {
  it('prints the version', () => {
    const { version } = JSON.parse(
      fs.readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8'),
    );
    expect(tidemark(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each(['fit', 'profile', 'compare', 'run', 'verify', 'check', 'zoo'])(
    '%s --help has examples',
    (command) => {
      const { status, stdout, stderr } = tidemark([command, '--help']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^Usage: tidemark ${command} `));
      expect(stdout).toContain(`\n  tidemark ${command}`);
      expect(stdout).toContain('--json');
    },
  );

  it('shows the stack trace when asked to', () => {
    const { stderr } = tidemark(['profile', 'missing.onnx'], { env: { TIDEMARK_DEBUG: '1' } });
    expect(stderr).toMatch(/^tidemark: missing\.onnx: no such file\n.*\n\s+at /);
  });
});
