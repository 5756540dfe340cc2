import { describe, expect, test } from 'vitest';
import { TidemarkError } from '../../errors.ts';
import type { TypedArray } from '../../graph/graph.ts';
import { readTflite } from './read.ts';
import { CODE, floats, ints, smallModel, type TestModel, tfliteFile } from './testing/model-file.ts';

const read = (model: TestModel, shapes?: Record<string, number[]>) =>
  readTflite(tfliteFile(model), { name: 'test', file: 'test.tflite', shapes });

describe('a model', () => {
  test('becomes a graph with explicit pads and the fused activation as an epilogue', () => {
    const graph = read(smallModel());
    expect(graph.dialect).toBe('tflite');
    expect(graph.inputs).toMatchObject([{ name: 'x', shape: [1, 5, 6, 2], dtype: 'f32' }]);
    expect(graph.outputs).toMatchObject([{ name: 'y', shape: [1, 3, 3, 2], dtype: 'f32' }]);
    const [conv, relu] = graph.operators;
    expect(conv).toMatchObject({ kind: 'Conv', name: 'CONV_2D_0' });
    // 5 rows with stride 2 are padded on both sides, 6 columns on the right alone.
    expect(conv.attrs).toEqual({ stride: [2, 2], dilation: [1, 1], pads: [1, 0, 1, 1], groups: 1 });
    expect(conv.epilogue).toMatchObject([{ kind: 'Clip', attrs: { min: 0, max: 6 } }]);
    expect(relu).toMatchObject({ kind: 'Clip', attrs: { min: 0, max: null } });
  });

  test('takes the input shape that is asked for', () => {
    const graph = read(smallModel(), { x: [2, 9, 9, 2] });
    expect(graph.outputs[0].shape).toEqual([2, 5, 5, 2]);
  });

  test('has its batch fixed where it is open, and asks for any other open dimension', () => {
    const open = (signature: number[], shape: number[]): TestModel => {
      const { tensors, ...rest } = smallModel();
      return { tensors: [{ ...tensors[0], signature, shape }, ...tensors.slice(1)], ...rest };
    };
    expect(read(open([-1, 5, 6, 2], [1, 5, 6, 2])).inputs[0].shape).toEqual([1, 5, 6, 2]);
    const picture = open([1, -1, -1, 2], [1, 1, 1, 2]);
    expect(() => read(picture)).toThrow('input x leaves dimensions of [1,-1,-1,2] open');
    expect(read(picture, { x: [1, 9, 9, 2] }).outputs[0].shape).toEqual([1, 5, 5, 2]);
  });

  test('ends at the tensors that are asked for, whatever comes after them', () => {
    const model = smallModel();
    const [conv] = model.nodes;
    const nodes = [conv, { code: CODE.CUSTOM, custom: 'Magic', inputs: [3], outputs: [4] }];
    const bytes = tfliteFile({ ...model, nodes });
    const graph = readTflite(bytes, { name: 'test', file: 'test.tflite', outputs: ['c'] });
    expect(graph.operators.map((o) => o.kind)).toEqual(['Conv']);
    expect(graph.outputs.map((p) => p.name)).toEqual(['c']);
    expect(() => readTflite(bytes, { name: 'test', file: 'test.tflite', outputs: ['z'] })).toThrow(
      'no tensor z',
    );
  });

  test('refuses a shape for an input it does not have', () => {
    expect(() => read(smallModel(), { nothing: [1] })).toThrow(/input nothing.*inputs are x/);
  });

  test('loses its shape arithmetic', () => {
    const graph = read({
      tensors: [
        { name: 'x', shape: [2, 6] },
        { name: 'shape', shape: [2], type: 'i32' },
        { name: 'begin', shape: [1], type: 'i32', data: ints(0) },
        { name: 'end', shape: [1], type: 'i32', data: ints(1) },
        { name: 'one', shape: [1], type: 'i32', data: ints(1) },
        { name: 'first', shape: [], type: 'i32' },
        { name: 'rest', shape: [], type: 'i32', data: ints(-1) },
        { name: 'target', shape: [3], type: 'i32' },
        { name: 'three', shape: [], type: 'i32', data: ints(3) },
        { name: 'y', shape: [1, 1, 1] },
      ],
      nodes: [
        { code: CODE.SHAPE, inputs: [0], outputs: [1] },
        {
          code: CODE.STRIDED_SLICE,
          inputs: [1, 2, 3, 4],
          outputs: [5],
          options: (b) => b.addFieldInt32(4, 1, 0),
        },
        { code: CODE.PACK, inputs: [5, 8, 6], outputs: [7], options: (b) => b.addFieldInt32(0, 3, 0) },
        { code: CODE.RESHAPE, inputs: [0, 7], outputs: [9] },
      ],
      inputs: [0],
      outputs: [9],
    });
    expect(graph.operators.map((o) => o.kind)).toEqual(['Reshape']);
    expect(graph.outputs[0].shape).toEqual([2, 3, 2]);
  });

  test('joins space-to-batch, convolution and batch-to-space into a dilated convolution', () => {
    const triple = (crops: Uint8Array): TestModel => ({
      tensors: [
        { name: 'x', shape: [1, 8, 8, 1] },
        { name: 'block', shape: [2], type: 'i32', data: ints(2, 2) },
        { name: 'pads', shape: [2, 2], type: 'i32', data: ints(2, 2, 2, 2) },
        { name: 'batched', shape: [4, 6, 6, 1] },
        { name: 'w', shape: [1, 3, 3, 1], data: floats(1, 2, 3, 4, 5, 6, 7, 8, 9) },
        { name: 'b', shape: [1], data: floats(0) },
        { name: 'convolved', shape: [4, 4, 4, 1] },
        { name: 'crops', shape: [2, 2], type: 'i32', data: crops },
        { name: 'y', shape: [1, 8, 8, 1] },
      ],
      nodes: [
        { code: CODE.SPACE_TO_BATCH_ND, inputs: [0, 1, 2], outputs: [3] },
        {
          code: CODE.CONV_2D,
          inputs: [3, 4, 5],
          outputs: [6],
          options: (b) => {
            b.addFieldInt8(0, 1, 0);
            b.addFieldInt32(1, 1, 0);
            b.addFieldInt32(2, 1, 0);
          },
        },
        { code: CODE.BATCH_TO_SPACE_ND, inputs: [6, 1, 7], outputs: [8] },
      ],
      inputs: [0],
      outputs: [8],
    });
    const graph = read(triple(ints(0, 0, 1, 0)));
    expect(graph.operators).toHaveLength(1);
    expect(graph.operators[0].attrs).toMatchObject({ dilation: [2, 2], pads: [2, 1, 2, 2], stride: [1, 1] });
    expect(graph.outputs[0].shape).toEqual([1, 8, 7, 1]);
  });

  test('has wide and half types narrowed, on weights of one byte per channel too', () => {
    const halves = new Uint8Array(Uint16Array.of(0x3c00, 0xc000).buffer);
    const graph = read({
      tensors: [
        { name: 'x', shape: [1, 2], type: 'f32' },
        { name: 'half', shape: [2], type: 'f16', data: halves },
        { name: 'y', shape: [1, 2] },
      ],
      nodes: [{ code: CODE.ADD, inputs: [0, 1], outputs: [2] }],
      inputs: [0],
      outputs: [2],
    });
    const half = graph.tensors.find((t) => t.name === 'half')!;
    expect(half.dtype).toBe('f32');
    expect(Array.from(half.constant!.load() as TypedArray)).toEqual([1, -2]);
  });

  test('may name the channel dimension of the weights on a one-dimensional bias', () => {
    const { tensors, ...rest } = smallModel();
    const quantised = tensors.map((t, i) => ({
      ...t,
      type: (i === 2 ? 'i32' : 'i8') as 'i32' | 'i8',
      data: i === 1 ? new Uint8Array(36) : i === 2 ? ints(1, 2) : undefined,
      scale: i === 1 || i === 2 ? [0.5, 0.25] : [1],
      zeroPoint: i === 1 || i === 2 ? [0, 0] : [0],
      dimension: i === 2 ? 3 : 0,
    }));
    const graph = read({ tensors: quantised, ...rest });
    expect(graph.tensors.find((t) => t.name === 'b')!.quant).toEqual({
      scale: [0.5, 0.25],
      zeroPoint: [0, 0],
      axis: 0,
    });
  });
});

/** The error of reading bytes, which must be one line with a code. */
function errorOf(bytes: Uint8Array): TidemarkError {
  try {
    readTflite(bytes, { name: 'test', file: 'bad.tflite' });
  } catch (error) {
    expect(error).toBeInstanceOf(TidemarkError);
    const known = error as TidemarkError;
    expect(known.message).toMatch(/^bad\.tflite: /);
    expect(known.message).not.toContain('\n');
    return known;
  }
  throw new Error('nothing was thrown');
}

function changed(change: (model: { -readonly [K in keyof TestModel]: TestModel[K] }) => void): TidemarkError {
  const model = { ...smallModel() };
  change(model);
  return errorOf(tfliteFile(model));
}

describe('bad input', () => {
  test('an empty file', () => {
    expect(errorOf(new Uint8Array())).toMatchObject({
      code: 'file-format',
      message: expect.stringContaining('empty'),
    });
  });

  test('a JPEG named .tflite', () => {
    const jpeg = Uint8Array.from([
      0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 72, 0, 72, 0, 0,
    ]);
    expect(errorOf(jpeg)).toMatchObject({
      code: 'file-format',
      message: expect.stringContaining('not a TFLite model'),
    });
  });

  test('another schema version', () => {
    expect(changed((m) => (m.version = 2)).message).toContain('schema version 2; expected 3');
  });

  test('a file cut off anywhere', () => {
    const bytes = tfliteFile(smallModel());
    for (let length = 0; length < bytes.length; length++) {
      expect(errorOf(bytes.subarray(0, length)).code).toBe('file-format');
    }
  });

  test('any bit flipped: an error of ours or a graph, at once', () => {
    const bytes = tfliteFile(smallModel());
    const started = performance.now();
    let failed = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      try {
        readTflite(damaged, { name: 'test', file: 'bad.tflite' });
      } catch (error) {
        if (!(error instanceof TidemarkError)) throw new Error(`bit ${bit}: ${(error as Error).stack}`);
        failed++;
      }
    }
    expect(failed).toBeGreaterThan(bytes.length);
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  test('many bytes overwritten, seeded', () => {
    const bytes = tfliteFile(smallModel());
    let state = 1;
    const random = () => (state = Math.imul(state, 48271) >>> 0) / 2 ** 32;
    for (let run = 0; run < 2000; run++) {
      const damaged = bytes.slice();
      for (let k = 0; k < 1 + (run % 20); k++)
        damaged[8 + Math.floor(random() * (bytes.length - 8))] = Math.floor(random() * 256);
      try {
        readTflite(damaged, { name: 'test', file: 'bad.tflite' });
      } catch (error) {
        if (!(error instanceof TidemarkError)) throw new Error(`run ${run}: ${(error as Error).stack}`);
      }
    }
  });

  test('indices that name nothing', () => {
    expect(changed((m) => (m.outputs = [9])).message).toContain('the graph outputs name tensor 9 of 5');
    expect(changed((m) => (m.nodes = [{ ...m.nodes[0], inputs: [77, 1, 2] }, m.nodes[1]])).code).toBe(
      'file-format',
    );
  });

  test('operators in a circle, and tensors from nowhere', () => {
    const circle = changed((m) => (m.nodes = [{ code: CODE.ADD, inputs: [0, 4], outputs: [3] }, m.nodes[1]]));
    expect(circle).toMatchObject({
      code: 'graph-cyclic',
      message: expect.stringContaining('tensor y is read before operator 1 (RELU)'),
    });
    expect(changed((m) => (m.nodes = [m.nodes[1]])).code).toBe('graph-invalid');
    expect(changed((m) => (m.nodes = [...m.nodes, m.nodes[1]])).message).toContain('written twice');
  });

  test('shapes that overflow or disagree with their data', () => {
    const shaped = (i: number, shape: number[]) =>
      changed((m) => (m.tensors = m.tensors.map((t, k) => (k === i ? { ...t, shape } : t))));
    expect(shaped(0, [65536, 65536, 65536, 2]).code).toBe('shape-mismatch');
    expect(shaped(1, [2, 3, 3, 4]).message).toContain('takes 288 bytes; its buffer has 144');
    expect(shaped(0, [1, 5, 6]).message).toContain('expected [N, H, W, C]');
    expect(shaped(0, [1, 5, 6, 3]).code).toBe('shape-mismatch');
    expect(shaped(0, [1, -7, 6, 2]).code).toBe('file-format');
  });

  test('quantisation that cannot be', () => {
    const scaled = (scale: number[]) =>
      changed(
        (m) => (m.tensors = m.tensors.map((t, k) => (k === 0 ? { ...t, type: 'i8' as const, scale } : t))),
      );
    expect(scaled([0]).code).toBe('quantisation-invalid');
    expect(scaled([Number.NaN]).code).toBe('quantisation-invalid');
    expect(scaled([1, 2, 3]).code).toBe('quantisation-invalid');
  });

  test('what is refused says why', () => {
    const only = (code: number, custom?: string) =>
      changed((m) => (m.nodes = [{ code, custom, inputs: [0], outputs: [4] }]));
    expect(only(CODE.CUSTOM, 'Magic')).toMatchObject({
      code: 'operator-unsupported',
      message: expect.stringContaining('custom operator Magic'),
    });
    expect(only(CODE.LSTM).message).toContain('operator 0 (LSTM): recurrent operators');
    expect(only(CODE.IF).message).toContain('control flow');
    expect(only(CODE.VAR_HANDLE).message).toContain('keep state between runs');
    expect(only(199).message).toContain('operator code 199');
    const tensor = (extra: object) =>
      changed((m) => (m.tensors = m.tensors.map((t, k) => (k === 2 ? { ...t, ...extra } : t))));
    expect(tensor({ variable: true }).message).toContain('tensor b is a variable');
    expect(tensor({ sparse: true }).message).toContain('tensor b is stored sparsely');
    expect(tensor({ type: 'STRING' }).code).toBe('type-unsupported');
  });

  test('a constant that would take all memory', () => {
    const error = errorOf(
      tfliteFile({
        tensors: [
          { name: 'x', shape: [6] },
          { name: 'dims', shape: [2], type: 'i32', data: ints(65536, 65536) },
          { name: 'one', shape: [], type: 'i32', data: ints(1) },
          { name: 'huge', shape: [65536, 65536], type: 'i32' },
          { name: 'axes', shape: [2], type: 'i32', data: ints(0, 1) },
          { name: 'shape', shape: [], type: 'i32' },
          { name: 'y', shape: [6] },
        ],
        nodes: [
          { code: CODE.FILL, inputs: [1, 2], outputs: [3] },
          { code: CODE.REDUCE_MAX, inputs: [3, 4], outputs: [5] },
          { code: CODE.RESHAPE, inputs: [0, 5], outputs: [6] },
        ],
        inputs: [0],
        outputs: [6],
      }),
    );
    expect(error).toMatchObject({
      code: 'file-too-large',
      message: expect.stringContaining('operator 0 (FILL)'),
    });
  });

  test('a target shape that is known at run time alone', () => {
    const error = errorOf(
      tfliteFile({
        tensors: [
          { name: 'x', shape: [2, 6] },
          { name: 's', shape: [2], type: 'i32' },
          { name: 'y', shape: [-1, 5] },
        ],
        nodes: [{ code: CODE.RESHAPE, inputs: [0, 1], outputs: [2] }],
        inputs: [0, 1],
        outputs: [2],
      }),
    );
    expect(error.code).toBe('shape-dynamic');
  });
});
