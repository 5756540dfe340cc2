/** `node ort-memory.mjs MODEL.onnx`: prints by how many bytes resident memory grows at most in the first run. Linux. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node');

const ARRAYS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array, int32: Int32Array };

const kib = (name) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1]);

const session = await InferenceSession.create(process.argv[2], {
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 4,
});
const feeds = Object.fromEntries(
  session.inputMetadata.map(({ name, type, shape }) => {
    const dims = shape.map((d) => (typeof d === 'number' ? d : 1));
    const count = dims.reduce((n, d) => n * d, 1);
    // Written, so that its pages are there before the run.
    return [name, new Tensor(type, new ARRAYS[type](count).fill(1), dims)];
  }),
);
// The mark of the most resident memory begins anew.
writeFileSync('/proc/self/clear_refs', '5');
const before = kib('VmRSS');
await session.run(feeds);
console.log(1024 * (kib('VmHWM') - before));
