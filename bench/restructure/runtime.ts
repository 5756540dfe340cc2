/**
 * Runs a file in ONNX Runtime and reads its own count of memory from its profile: one thread, every node as the file
 * has it, no memory pattern (it would reserve everything at once), so that bytes in use are bytes that are needed.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ort from 'onnxruntime-node';

export interface RuntimeRun {
  readonly outputs: ReadonlyMap<string, Float32Array>;
  readonly nodes: number;
  /** Most bytes of tensors in ONNX Runtime's arena after any node; inputs are the caller's and not in it. */
  readonly tensorBytes: number;
  /** Most bytes of the arena in use, kernels' working memory and rounding included. */
  readonly arenaBytes: number;
}

/** `shape` is the one input's. */
export async function runProfiled(
  file: string,
  shape: readonly number[],
  values: Float32Array,
): Promise<RuntimeRun> {
  const prefix = `${file}.profile`;
  const session = await ort.InferenceSession.create(file, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableMemPattern: false,
    // Weights packed anew for their kernels are no part of a run.
    extra: { session: { disable_prepacking: '1' } },
    enableProfiling: true,
    profileFilePrefix: prefix,
    logSeverityLevel: 4,
  });
  const results = await session.run({
    [session.inputNames[0]]: new ort.Tensor('float32', values, [...shape]),
  });
  session.endProfiling();
  const outputs = new Map(session.outputNames.map((name) => [name, results[name].data as Float32Array]));
  await session.release();
  return { outputs, ...memoryOf(readEvents(prefix)) };
}

interface ProfileEvent {
  readonly cat?: string;
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

function readEvents(prefix: string): ProfileEvent[] {
  const folder = dirname(prefix);
  const [name] = readdirSync(folder).filter((f) => f.startsWith(basename(prefix)));
  const file = join(folder, name);
  const events = JSON.parse(readFileSync(file, 'utf8')) as ProfileEvent[];
  rmSync(file);
  return events;
}

/** What stands there before the first node (weights, where they are in the arena) is left out. */
function memoryOf(events: readonly ProfileEvent[]) {
  const nodes = events.filter((e) => e.cat === 'Node' && e.name.endsWith('_kernel_time'));
  const value = (e: ProfileEvent, key: string) => Number(e.args?.[key] ?? 0);
  const most = (key: string) => nodes.reduce((n, e) => Math.max(n, value(e, key)), 0);
  const [first] = nodes;
  const tensorsBefore =
    value(first, 'mem_bytes_requested_in_use') - value(first, 'mem_requested_in_use_delta');
  const arenaBefore = value(first, 'mem_bytes_in_use') - value(first, 'mem_in_use_delta');
  return {
    nodes: nodes.length,
    tensorBytes: most('mem_bytes_requested_in_use') - tensorsBefore,
    arenaBytes: most('mem_in_use_peak') - arenaBefore,
  };
}

/** The greatest difference, over the greatest magnitude of what is expected. */
export function relativeError(expected: Float32Array, got: Float32Array): number {
  if (expected.length !== got.length) return Number.POSITIVE_INFINITY;
  let [most, magnitude] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(expected[i] - got[i]);
    if (!(d <= most)) most = d;
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  return most / (magnitude || 1);
}
