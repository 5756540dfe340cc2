import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { haveModels, MODELS, UNLESS_MODELS } from '../../../test/public-models-folder.ts';
import { TidemarkError } from '../../errors.ts';
import { elementCount, type Graph, tensorBytes } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { readOnnx } from '../../model/onnx/read.ts';
import { loadOnnxRuntime } from '../../run/onnx-runtime.ts';
import { seedOf, uniformValues } from '../../zoo/seed.ts';
import { writeOnnx } from './write.ts';

const FOLDER = join(MODELS, 'onnx');
const files = haveModels ? readdirSync(FOLDER).filter((f) => f.endsWith('.onnx')) : [];

const bytesOf = (file: string) => new Uint8Array(readFileSync(join(FOLDER, file)));

/** The graph as it is planned; undefined where the reader refuses the file (its own tests say why). */
function graphOf(file: string, bytes: Uint8Array): Graph | undefined {
  try {
    return normalise(readOnnx(bytes, { name: file, file, external: bytesOf }));
  } catch (error) {
    if (error instanceof TidemarkError) return undefined;
    throw error;
  }
}

function feedsFor(ort: typeof import('onnxruntime-node'), graph: Graph): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const { name, shape, dtype } of graph.inputs) {
    const values = uniformValues(seedOf(name), elementCount(shape), 1);
    const data = {
      f32: () => values,
      f16: () => new Uint16Array(values.length).fill(0x3800),
      u8: () => Uint8Array.from(values, (v) => (v + 1) * 127),
      i8: () => Int8Array.from(values, (v) => v * 127),
      i64: () => new BigInt64Array(values.length).fill(1n),
    }[dtype as 'f32'];
    const type = { f32: 'float32', f16: 'float16', u8: 'uint8', i8: 'int8', i64: 'int64' }[dtype as 'f32'];
    feeds[name] = new ort.Tensor(type as 'float32', data() as Float32Array, shape);
  }
  return feeds;
}

/** Half precision rounds after every operator, which the graph here does not. */
const tolerance = (file: string) => (file.includes('fp16') ? 5e-3 : 1e-4);

describe.skipIf(!haveModels)(`public ONNX models, read, normalised and written${UNLESS_MODELS}`, () => {
  it.for(files)('%s', async (file, ctx) => {
    const bytes = bytesOf(file);
    const graph = graphOf(file, bytes);
    if (!graph) return ctx.skip('the reader refuses it');
    const weightBytes = graph.tensors.reduce((sum, t) => sum + (t.constant ? tensorBytes(t) : 0), 0);
    if (weightBytes > 64 * 2 ** 20)
      return ctx.skip('more than 64 MiB of weights: slow, and no new operators');
    const ort = (await loadOnnxRuntime()) as unknown as typeof import('onnxruntime-node');
    // Optimised, QDQ forms run as integer operators, in the original as in what is written.
    const run = async (model: Uint8Array) => {
      const extra = { session: { qdqisint8allowed: '1' } };
      const options = { graphOptimizationLevel: 'all', logSeverityLevel: 4, extra } as const;
      return (await ort.InferenceSession.create(model, options)).run(feedsFor(ort, graph));
    };
    const original = await run(bytes);
    const written = await run(writeOnnx(graph));
    for (const { name, dtype } of graph.outputs) {
      expect(written[name].dims).toEqual(original[name].dims);
      const ours = written[name].data as Float32Array;
      const theirs = original[name].data as Float32Array;
      let [greatest, magnitude] = [0, 0];
      theirs.forEach((v, i) => {
        greatest = Math.max(greatest, Math.abs(Number(v) - Number(ours[i])));
        magnitude = Math.max(magnitude, Math.abs(Number(v)));
      });
      const allowed = dtype.startsWith('f') ? Math.max(tolerance(file) * magnitude, 1e-6) : 1;
      expect(greatest, name).toBeLessThanOrEqual(allowed);
    }
  });
});
