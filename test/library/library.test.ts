/** The library as another program uses it. */
import { expect, test } from 'vitest';
import * as tidemark from '../../src/index.ts';
import { tinyCnn, tinyModel } from '../onnx/tiny-model.ts';

test('a model in, a proven plan out, run in one arena', () => {
  const { graph, plan, arenaBytes, checked } = tidemark.compileModel(
    { zoo: 'ds-cnn' },
    { policy: { input: 'reuse', output: 'whole' } },
  );
  expect(checked).toBe(true);
  expect(tidemark.checkPlan(graph, plan)).toMatchObject({ ok: true });
  expect(tidemark.planMetrics(graph, plan).arenaBytes).toBe(arenaBytes);
  const port = graph.inputs[0];
  const values = Float32Array.from({ length: tidemark.elementCount(port.shape) }, (_, i) => Math.sin(i));
  const [expected] = tidemark.runReference(graph, [values]);
  const { outputs, arena } = tidemark.executePlan(graph, plan, [tidemark.toGraphLayout(port, values)]);
  expect(arena.length).toBe(arenaBytes);
  expect(tidemark.fromGraphLayout(graph.outputs[0], outputs[0])).toEqual(expected.values);
});

test('a plan survives its JSON', () => {
  const { plan } = tidemark.compileModel(
    { zoo: 'ds-cnn' },
    { policy: { input: 'keep', output: 'streamed' } },
  );
  expect(tidemark.planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
});

const weightsOf = ({ tensors }: tidemark.Graph) =>
  tensors.map((t) => t.constant && Array.from(t.constant.load()));

test('a file in a Node Buffer, wherever in memory that begins', () => {
  const file = tinyModel(tinyCnn());
  for (let shift = 0; shift < 4; shift++) {
    const bytes = Buffer.from(new ArrayBuffer(file.length + 4), shift, file.length);
    bytes.set(file);
    const graph = tidemark.importModel({ bytes, file: 'x.onnx' });
    expect(weightsOf(graph)).toEqual(weightsOf(tidemark.importModel({ bytes: file, file: 'x.onnx' })));
  }
});

test('bytes that are no model are refused with a code', () => {
  const bytes = new TextEncoder().encode('{"no": "model"}');
  const policy = { input: 'reuse', output: 'whole' } as const;
  expect(() => tidemark.compileModel({ bytes, file: 'x.onnx' }, { policy })).toThrow(
    expect.objectContaining({ code: 'file-format' }),
  );
});
