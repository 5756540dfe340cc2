/** Modules of small programs, loaded by the loader as a user would load them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import * as make from '../../kernels/builder.ts';
import { ARENA_REGION, type Region } from '../../kernels/ir.ts';
import type { Program, ProgramPort } from '../../kernels/program.ts';
import { type EmitOptions, emitWasm } from './emit.ts';
import { LOADER } from './loader.ts';
import { validate } from './testing/validate.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-wasm-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const PIXELS = 6;
const CHANNELS = 2;
const BYTES = PIXELS * CHANNELS * 4;
const SHAPE = [1, 2, 3, 2];

/** y = x * scale[c], pixel by pixel: x in or outside the arena or streamed through one pixel of it. */
function scaling(input: ProgramPort['where'], output: ProgramPort['where']): Program {
  const scale = new Float32Array([2, -0.5]);
  const data: Region = { kind: 'data', index: 0 };
  const from: Region = input === 'outside' ? { kind: 'input', index: 0 } : ARENA_REGION;
  const xAt = (p: make.Index) => (input === 'streamed' ? make.index(0) : make.times(p, CHANNELS * 4));
  const yAt = (p: make.Index) =>
    make.plus(output === 'streamed' ? make.index(0) : make.times(p, CHANNELS * 4), BYTES);
  const pixel = make.param('pixel', 'index');
  const params = [{ name: 'pixel', type: 'index' }] as const;
  const source = new make.Builder();
  source.transfer(
    'in',
    0,
    make.times(pixel, CHANNELS * 4),
    make.place(ARENA_REGION, xAt(pixel)),
    CHANNELS * 4,
  );
  const b = new make.Builder();
  b.for('c', 0, CHANNELS, 1, (c) => {
    const x = make.load('f32', 'f32', make.place(from, make.plus(xAt(pixel), make.times(c, 4))));
    const s = make.load('f32', 'f32', make.place(data, make.times(c, 4)));
    b.store('f32', make.place(ARENA_REGION, make.plus(yAt(pixel), make.times(c, 4))), make.mul(x, s));
  });
  const sink = new make.Builder();
  sink.transfer(
    'out',
    0,
    make.times(pixel, CHANNELS * 4),
    make.place(ARENA_REGION, yAt(pixel)),
    CHANNELS * 4,
  );
  const port = (name: string, where: ProgramPort['where'], offset: number): ProgramPort => ({
    name,
    dtype: 'f32',
    shape: SHAPE,
    bytes: BYTES,
    where,
    offset,
  });
  return {
    name: 'scaling',
    arenaBytes: 2 * BYTES,
    banks: [],
    arenaAlign: 4,
    data: [{ name: 'scale', bytes: new Uint8Array(scale.buffer), align: 4, cell: 'f32' }],
    functions: [
      source.function('source', params),
      b.function('scale', params),
      sink.function('sink', params),
    ],
    actors: ['source', 'scale', 'sink'].map((fn) => ({ name: fn, fn, firings: PIXELS })),
    schedule: [0, [5, 1, 0, 2], 1, 2],
    inputs: [port('x', input, 0)],
    outputs: [port('y', output, BYTES)],
  };
}

interface Model {
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly view?: Float32Array;
  }[];
  readonly arenaBytes: number;
  run(values?: Record<string, unknown>, options?: object): Record<string, Float32Array>;
}

let count = 0;

async function loaded(program: Program, options: EmitOptions = {}, source?: unknown): Promise<Model> {
  const own = path.join(folder, `model${count++}`);
  fs.mkdirSync(own);
  const { wasm, weights } = emitWasm(program, options);
  validate(wasm);
  fs.writeFileSync(path.join(own, 'model.wasm'), wasm);
  if (weights) fs.writeFileSync(path.join(own, 'model.weights'), weights);
  const file = path.join(own, 'model.mjs');
  fs.writeFileSync(file, LOADER);
  const { load } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  return source === 'bytes'
    ? load(wasm)
    : load(source ? pathToFileURL(path.join(own, 'model.wasm')) : undefined);
}

const x = Float32Array.from({ length: PIXELS * CHANNELS }, (_, i) => i + 1);
const y = x.map((v, i) => v * (i % 2 ? -0.5 : 2));

test.each([
  ['arena', 'arena'],
  ['outside', 'arena'],
  ['streamed', 'arena'],
  ['arena', 'streamed'],
  ['streamed', 'streamed'],
] as const)('input %s, output %s: the same result, run after run', async (input, output) => {
  const model = await loaded(scaling(input, output));
  expect(model.arenaBytes).toBe(2 * BYTES);
  for (let i = 0; i < 3; i++) expect(model.run({ x }).y).toEqual(y);
});

test('rows go through callbacks', async () => {
  const model = await loaded(scaling('streamed', 'streamed'));
  const got: [number, number[]][] = [];
  const out = model.run(
    { x: (to: Float32Array, first: number) => to.set(x.subarray(first, first + to.length)) },
    { on: { y: (part: Float32Array, first: number) => got.push([first, [...part]]) } },
  );
  expect(out).toEqual({});
  expect(got.map(([first]) => first)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(got.flatMap(([, part]) => part)).toEqual([...y]);
});

test('values in the order of the file, and as they lie in memory', async () => {
  const file = { name: 'x', tensor: 0, shape: [1, 2, 2, 3], dtype: 'f32', perm: [0, 2, 3, 1] };
  const model = await loaded(scaling('arena', 'arena'), {
    ports: { inputs: [file], outputs: [{ ...file, name: 'y', tensor: 1 }], tensors: [] },
  });
  expect(model.inputs[0].shape).toEqual([1, 2, 2, 3]);
  const planes = Float32Array.from([...x.filter((_, i) => i % 2 === 0), ...x.filter((_, i) => i % 2)]);
  expect([...model.run({ x: planes }).y]).toEqual([...planes.map((v, i) => (i < 6 ? v * 2 : v * -0.5))]);
  expect(model.run({ x }, { layout: 'memory' }).y).toEqual(y);
  model.inputs[0].view!.set(x);
  expect(model.run({}, { layout: 'memory' }).y).toEqual(y);
});

test('weights beside the module, the module from bytes or a URL', async () => {
  expect((await loaded(scaling('arena', 'arena'), { weights: 'beside' })).run({ x }).y).toEqual(y);
  expect((await loaded(scaling('arena', 'arena'), {}, 'bytes')).run({ x }).y).toEqual(y);
  expect((await loaded(scaling('arena', 'arena'), {}, 'url')).run({ x }).y).toEqual(y);
});

test('wrong input is named', async () => {
  const model = await loaded(scaling('arena', 'arena'));
  expect(() => model.run({ z: x })).toThrow('no input z; there is x');
  expect(() => model.run({ x: x.subarray(1) })).toThrow('input x of shape [1,2,3,2] needs 12 values, got 11');
});

test('the loader stays under 8 KB', () => {
  expect(new TextEncoder().encode(LOADER).length).toBeLessThan(8 * 1000);
});
