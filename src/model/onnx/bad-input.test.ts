import { describe, expect, it } from 'vitest';
import { floats, int64s, seeded, type TinyModel, tinyCnn, tinyModel } from '../../../test/onnx/tiny-model.ts';
import { TidemarkError } from '../../errors.ts';
import { runReference } from '../../run/reference.ts';
import { type OnnxOptions, readOnnx } from './read.ts';

const read = (bytes: Uint8Array, options: Partial<OnnxOptions> = {}) =>
  readOnnx(bytes, { name: 'tiny', file: 'tiny.onnx', ...options });

/** The one line that a user sees: `code: message`. Anything but a TidemarkError fails the test. */
function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TidemarkError);
    const { code, message } = error as TidemarkError;
    expect(message).not.toContain('\n');
    return `${code}: ${message}`;
  }
  throw new Error('nothing was thrown');
}

const complaintOf = (model: TinyModel, options?: Partial<OnnxOptions>) =>
  complaint(() => read(tinyModel(model), options));

describe('files that are not ONNX models', () => {
  it('names an empty file', () => {
    expect(complaint(() => read(new Uint8Array(0)))).toBe(
      'file-format: tiny.onnx: the file is empty, expected an ONNX model',
    );
  });

  it('recognises a JPEG and a text file', () => {
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 1, 0, 72);
    expect(complaint(() => read(jpeg))).toMatch(/^file-format: tiny.onnx: .*JPEG/);
    expect(complaint(() => read(new TextEncoder().encode('<html><body>404</body></html>')))).toMatch(
      /^file-format: /,
    );
  });

  it('answers every truncation with one line', () => {
    const bytes = tinyModel(tinyCnn());
    for (let length = 0; length < bytes.length; length++) {
      expect(complaint(() => read(bytes.subarray(0, length)))).toMatch(
        /^(file-format|graph-invalid|type-unsupported|shape-)/,
      );
    }
  });

  it('answers flipped bits with a graph or one line, quickly', () => {
    const bytes = tinyModel(tinyCnn());
    const positions = seeded(1500, 7).map((u) => Math.floor(((u + 1) / 2) * bytes.length * 8));
    const start = performance.now();
    for (const bit of positions) {
      const damaged = bytes.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      try {
        read(damaged);
      } catch (error) {
        expect(error, `bit ${bit}`).toBeInstanceOf(TidemarkError);
        expect((error as TidemarkError).code).not.toBe('internal');
      }
    }
    expect((performance.now() - start) / positions.length).toBeLessThan(20);
  });
});

describe('graphs that cannot be', () => {
  it('names a node of a cycle', () => {
    const nodes = [
      { op: 'Add', in: ['x', 'b'], out: ['a'], name: 'first' },
      { op: 'Relu', in: ['a'], out: ['b'], name: 'second' },
    ];
    expect(complaintOf({ inputs: { x: [1, 4] }, outputs: ['b'], nodes })).toMatch(
      /^graph-cyclic: tiny.onnx: node (first|second)/,
    );
  });

  it('names a value that nothing produces', () => {
    const nodes = [{ op: 'Add', in: ['x', 'ghost'], out: ['y'], name: 'sum' }];
    expect(complaintOf({ inputs: { x: [1, 4] }, outputs: ['y'], nodes })).toBe(
      'graph-invalid: tiny.onnx: node sum (Add) reads "ghost", which nothing produces',
    );
  });

  it('names a value that is produced twice', () => {
    const nodes = [
      { op: 'Relu', in: ['x'], out: ['y'] },
      { op: 'Tanh', in: ['x'], out: ['y'], name: 'again' },
    ];
    expect(complaintOf({ inputs: { x: [1, 4] }, outputs: ['y'], nodes })).toMatch(
      /^graph-invalid: .*again.*twice/,
    );
  });

  it('reads nodes in any order', () => {
    const model = tinyCnn();
    const graph = read(tinyModel({ ...model, nodes: [...model.nodes].reverse() }));
    expect(graph.operators.map((op) => op.kind)).toEqual(['Conv', 'Clip']);
  });
});

describe('operators', () => {
  it('names an unknown operator, its place and what is supported', () => {
    const line = complaintOf({
      inputs: { x: [1, 4] },
      outputs: ['y'],
      nodes: [{ op: 'Frobnicate', in: ['x'], out: ['y'], name: 'n', domain: 'my.own' }],
    });
    expect(line).toMatch(
      /^operator-unsupported: tiny.onnx: node n: operator Frobnicate of domain my.own .*Conv/,
    );
  });

  it.each(['If', 'Loop', 'LSTM'])('refuses %s', (op) => {
    const line = complaintOf({
      inputs: { x: [1, 4] },
      outputs: ['y'],
      nodes: [{ op, in: ['x'], out: ['y'], name: 'n' }],
    });
    expect(line).toMatch(new RegExp(`^operator-unsupported: tiny.onnx: node n: operator ${op} `));
  });

  it('refuses weights that do not fit', () => {
    const model = tinyCnn();
    const weights = [floats('w', [4, 5, 3, 3], seeded(180)), model.weights![1]];
    expect(complaintOf({ ...model, weights })).toMatch(
      /^shape-mismatch: tiny.onnx: node conv \(Conv\): weights \[4,5,3,3\].*3 channels/,
    );
    const gemm = { op: 'Gemm', in: ['x', 'w'], out: ['y'], name: 'fc' };
    expect(
      complaintOf({
        inputs: { x: [1, 8] },
        outputs: ['y'],
        nodes: [gemm],
        weights: [floats('w', [9, 2], seeded(18))],
      }),
    ).toMatch(/^shape-mismatch: tiny.onnx: node fc/);
  });

  it('says which input must be known before the run', () => {
    const nodes = [{ op: 'Reshape', in: ['x', 's'], out: ['y'], name: 'r' }];
    const line = complaintOf({ inputs: { x: [1, 4], s: [2] }, outputs: ['y'], nodes });
    expect(line).toMatch(/^shape-dynamic: tiny.onnx: node r \(Reshape\): shape \(input "s"\)/);
  });
});

describe('shapes', () => {
  it('takes an open batch dimension as one and asks for the others', () => {
    const model = { ...tinyCnn(), inputs: { x: ['batch', 3, 8, 8] } };
    expect(read(tinyModel(model)).inputs[0].shape).toEqual([1, 3, 8, 8]);
    const open = { ...model, inputs: { x: ['batch', 3, 'h', 'w'] } };
    expect(complaintOf(open)).toMatch(
      /^shape-dynamic: tiny.onnx: input x has the open dimension "h".*--shape x=1x3x224x224/,
    );
    expect(read(tinyModel(open), { shapes: { x: [2, 3, 10, 12] } }).inputs[0].shape).toEqual([2, 3, 10, 12]);
  });

  it('refuses shapes that contradict the file', () => {
    const bytes = tinyModel(tinyCnn());
    expect(complaint(() => read(bytes, { shapes: { x: [1, 4, 8, 8] } }))).toMatch(/^shape-mismatch: /);
    expect(complaint(() => read(bytes, { shapes: { x: [1, 3, 8] } }))).toMatch(/^shape-mismatch: /);
    expect(complaint(() => read(bytes, { shapes: { z: [1] } }))).toMatch(/^input-invalid: .*inputs are x/);
  });

  it('refuses sizes that overflow, without allocating', () => {
    const huge = [2 ** 31 - 1, 2 ** 31 - 1];
    expect(complaintOf({ ...tinyCnn(), inputs: { x: [1, 3, ...huge] } })).toMatch(
      /^graph-invalid: .*cannot be held/,
    );
    const weight = { ...floats('w', [4], seeded(4)), dims: [1n << 62n, 4n] };
    expect(complaintOf({ ...tinyCnn(), weights: [weight] })).toMatch(
      /^graph-invalid: tiny.onnx: tensor w: dimension 4611686018427387904/,
    );
    const negative = { ...floats('w', [4], seeded(4)), dims: [-4n] };
    expect(complaintOf({ ...tinyCnn(), weights: [negative] })).toMatch(
      /^graph-invalid: tiny.onnx: tensor w: dimension -4/,
    );
    const nodes = [{ op: 'ConstantOfShape', in: ['s'], out: ['y'] }];
    expect(
      complaintOf({ inputs: {}, outputs: ['y'], nodes, weights: [int64s('s', [2 ** 30, 2 ** 30])] }),
    ).toMatch(/^graph-invalid: /);
  });

  it('refuses tensors whose data are too short or too long', () => {
    const short = { ...floats('w', [4, 3, 3, 3], seeded(107)) };
    expect(complaintOf({ ...tinyCnn(), weights: [short] })).toBe(
      'graph-invalid: tiny.onnx: tensor w: its shape [4,3,3,3] needs 432 bytes of data, the file has 428',
    );
  });
});

describe('external data', () => {
  const values = Float32Array.from(seeded(108));
  const outside = (location: string, offset = '0') => ({
    name: 'w',
    dims: [4n, 3n, 3n, 3n],
    dataType: 1,
    dataLocation: 1,
    externalData: [
      { key: 'location', value: location },
      { key: 'offset', value: offset },
      { key: 'length', value: '432' },
    ],
  });
  const model = (location: string, offset?: string): TinyModel => ({
    ...tinyCnn(),
    weights: [outside(location, offset), tinyCnn().weights![1]],
  });
  const external = (path: string) => {
    if (path !== 'weights.bin')
      throw new TidemarkError('external-data', `${path} is missing beside the model`);
    return new Uint8Array(values.buffer);
  };

  it('reads the bytes it is given', () => {
    const x = seeded(192, 5);
    const inside = runReference(read(tinyModel(tinyCnn())), [x])[0];
    expect(runReference(read(tinyModel(model('weights.bin')), { external }), [x])[0].values).toEqual(
      inside.values,
    );
  });

  it.each(['/etc/passwd', '../secret.bin', 'a/../../b', 'C:\\x', ''])('refuses the path "%s"', (path) => {
    expect(complaintOf(model(path), { external })).toMatch(/^external-data: tiny.onnx: tensor w: .*refused/);
  });

  it('says what is missing or too short', () => {
    expect(complaintOf(model('gone.bin'), { external })).toMatch(/^external-data: .*gone.bin/);
    expect(complaintOf(model('weights.bin'))).toMatch(/^external-data: .*weights.bin, which was not given/);
    expect(complaintOf(model('weights.bin', '4'), { external })).toMatch(/^external-data: .*bytes 4 to 436/);
  });
});
