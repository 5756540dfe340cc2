/** The same file in ONNX Runtime: where it takes it, the answers must be ours. */
import type { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import type { FileArray } from '../../src/run/input/file-array.ts';
import { TO_RUNTIME } from '../../src/run/onnx-runtime.ts';
import { runReference } from '../../src/run/reference.ts';
import { Finding } from './finding.ts';

export type Runtime = typeof import('onnxruntime-node');
export type RuntimeVerdict = 'equal' | 'refused' | 'not comparable';

/** A cubic of a huge parameter is a small difference of huge numbers: its rounding is all that is left. */
function illConditioned({ operators }: Graph): boolean {
  return operators.some(({ attrs }) => attrs.mode === 'cubic' && Math.abs(Number(attrs.cubicA)) > 1000);
}

/** How far real results are moved to see what rounding alone does: some units in the last place of a float. */
const NUDGE = 2 ** -20;

/** Real numbers beyond are as good as infinite. */
const MOST = 1e30;

/**
 * How far an output moves where every operator's real results move by a millionth and its 8- and 16-bit ones by a step,
 * as ties do that round the other way: differences of that order are rounding, however large they are beside an output
 * that is what is left of larger numbers. Infinity where a result on the way is none or nearly so: 0 times it, as at
 * padding that is multiplied, is not a number, and what comes of that is anybody's.
 */
function rounding(graph: Graph, inputs: readonly FileArray[], output: number, ours: TypedArray): number {
  let finite = true;
  const nudge = (results: readonly TypedArray[]) => {
    for (const values of results) {
      finite &&= values.every((v: number) => Math.abs(v) <= MOST);
      const real = values instanceof Float32Array;
      if (!real && values.BYTES_PER_ELEMENT > 2) continue;
      for (let i = 0; i < values.length; i++) {
        const up = i % 2 === 1;
        values[i] = real
          ? values[i] * (1 + (up ? NUDGE : -NUDGE))
          : within(values, values[i] + (up ? 1 : -1));
      }
    }
  };
  const given = inputs.map(({ values }) => Array.from(values));
  const moved = runReference(graph, given, nudge)[output].values;
  if (!finite) return Number.POSITIVE_INFINITY;
  return moved.length === 0 ? 0 : Math.max(...Array.from(moved, (v, e) => Math.abs(v - ours[e])));
}

/** The nearest value that the array's type has. */
function within(values: TypedArray, v: number): number {
  const held = values.slice(0, 1);
  held[0] = v;
  return held[0] === v ? v : v < 0 ? v + 1 : v > 0 ? v - 1 : 0;
}

/** Relative to the largest value of the output. */
const TOLERANCE = 2e-3;

export async function compareWithRuntime(
  ort: Runtime,
  bytes: Uint8Array,
  graph: Graph,
  inputs: readonly FileArray[],
  expected: readonly { readonly values: TypedArray; readonly shape: readonly number[] }[],
): Promise<RuntimeVerdict> {
  let session: InferenceSession | undefined;
  let results: Record<string, RuntimeTensor>;
  try {
    session = await ort.InferenceSession.create(bytes, {
      graphOptimizationLevel: 'disabled',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    const feeds: Record<string, RuntimeTensor> = {};
    graph.inputs.forEach((port, i) => {
      if (!session!.inputNames.includes(port.name)) return;
      feeds[port.name] = runtimeTensor(ort, inputs[i]);
    });
    results = await session.run(feeds);
  } catch {
    return 'refused';
  } finally {
    await session?.release().catch(() => {});
  }
  const coarsest = Math.max(0, ...graph.tensors.map((t) => (t.constant ? 0 : (t.quant?.scale[0] ?? 0))));
  for (const [o, port] of graph.outputs.entries()) {
    const theirs = results[port.name];
    if (!theirs) return 'not comparable';
    const ours = expected[o];
    if (theirs.dims.join() !== port.shape.join())
      throw new Finding(`ONNX Runtime: output ${port.name} is [${theirs.dims}], here it is [${port.shape}]`);
    const data = theirs.data as ArrayLike<number | bigint>;
    if (theirs.type === 'string' || theirs.type === 'float16') return 'not comparable';
    let largest = 0;
    for (let e = 0; e < data.length; e++) {
      const v = Math.abs(Number(data[e]));
      if (!Number.isFinite(v) || v > MOST) return 'not comparable';
      largest = Math.max(largest, v);
    }
    const integers = theirs.type !== 'float32' && theirs.type !== 'float64';
    // Between integers a tie may round the other way, a step of the coarsest tensor.
    const step = 2 * coarsest;
    const own = graph.tensors[port.tensor].quant?.scale[0] ?? 1;
    const limit = integers
      ? Math.max(1, Math.ceil(step / own))
      : Math.max(step, TOLERANCE * Math.max(largest, 1e-6));
    for (let e = 0; e < data.length; e++) {
      const [a, b] = [ours.values[e], Number(data[e])];
      if (integers && Math.abs(b) >= 2147483647) continue;
      if (Math.abs(a - b) <= limit) continue;
      if (illConditioned(graph)) return 'not comparable';
      const rounded = rounding(graph, inputs, o, ours.values);
      if (Math.abs(a - b) <= (integers ? 2 : 16) * rounded) return 'not comparable';
      throw new Finding(`ONNX Runtime: output ${port.name}, element ${e}: ${b}, here it is ${a}`);
    }
  }
  return 'equal';
}

function runtimeTensor(ort: Runtime, { dtype, shape, values }: FileArray): RuntimeTensor {
  const list = Array.from(values);
  const arrays: Record<string, (v: number[]) => unknown> = {
    f32: (v) => Float32Array.from(v),
    f64: (v) => Float64Array.from(v),
    i64: (v) => BigInt64Array.from(v, BigInt),
    u64: (v) => BigUint64Array.from(v, BigInt),
    i32: (v) => Int32Array.from(v),
    u32: (v) => Uint32Array.from(v),
    i16: (v) => Int16Array.from(v),
    u16: (v) => Uint16Array.from(v),
    i8: (v) => Int8Array.from(v),
    u8: (v) => Uint8Array.from(v),
    bool: (v) => Uint8Array.from(v),
  };
  return new ort.Tensor(TO_RUNTIME[dtype] as 'float32', arrays[dtype](list) as Float32Array, [...shape]);
}
