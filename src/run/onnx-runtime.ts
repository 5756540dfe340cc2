/**
 * ONNX Runtime as an outside reference for .onnx files: every node as the file has it (graph optimisations off),
 * one thread. The package is optional; planning and running do without it.
 */
import { TidemarkError } from '../errors.ts';
import { widenHalf } from '../model/onnx/half.ts';
import { type FileArray, type FileType, isFileType, typedElements } from './input/file-array.ts';

/** The part of onnxruntime-node that is used here. */
interface Runtime {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => RuntimeTensor;
  readonly InferenceSession: {
    create(file: string, options: Record<string, unknown>): Promise<Session>;
  };
}

interface RuntimeTensor {
  readonly type: string;
  readonly data: ArrayLike<number> | BigInt64Array | BigUint64Array;
  readonly dims: readonly number[];
}

interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>;
  release?(): Promise<void>;
}

/** Element types by the names that ONNX Runtime has for them. */
export const TO_RUNTIME: Readonly<Record<FileType, string>> = {
  f64: 'float64',
  f32: 'float32',
  f16: 'float16',
  i64: 'int64',
  i32: 'int32',
  i16: 'int16',
  i8: 'int8',
  u64: 'uint64',
  u32: 'uint32',
  u16: 'uint16',
  u8: 'uint8',
  bool: 'bool',
};

const FROM_RUNTIME = new Map(Object.entries(TO_RUNTIME).map(([ours, theirs]) => [theirs, ours as FileType]));

/** Loads the package, or says what to install. */
export async function loadOnnxRuntime(): Promise<Runtime> {
  // Held in a variable so that the compiler and bundlers do not need the package.
  const name = 'onnxruntime-node';
  try {
    const module = await import(name);
    return module.default ?? module;
  } catch (error) {
    throw new TidemarkError(
      'runtime-missing',
      'ONNX Runtime is not installed, and comparing an ONNX model needs it: npm install onnxruntime-node',
      { cause: error },
    );
  }
}

/** Runs a file on inputs by name and returns its outputs by name. */
export async function runOnnxRuntime(
  file: string,
  inputs: ReadonlyMap<string, FileArray>,
): Promise<ReadonlyMap<string, FileArray>> {
  const runtime = await loadOnnxRuntime();
  let session: Session;
  try {
    session = await runtime.InferenceSession.create(file, {
      graphOptimizationLevel: 'disabled',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
  } catch (error) {
    throw refused(file, error);
  }
  const feeds: Record<string, RuntimeTensor> = {};
  for (const [name, array] of inputs) {
    if (session.inputNames.includes(name)) feeds[name] = toRuntime(runtime, array);
  }
  let results: Record<string, RuntimeTensor>;
  try {
    results = await session.run(feeds);
  } catch (error) {
    throw refused(file, error);
  }
  const outputs = new Map<string, FileArray>();
  for (const name of session.outputNames)
    outputs.set(name, fromRuntime(results[name], `${file}: output ${name}`));
  await session.release?.();
  return outputs;
}

function refused(file: string, error: unknown): TidemarkError {
  const why = error instanceof Error ? error.message : String(error);
  return new TidemarkError('runtime-missing', `${file}: ONNX Runtime does not run it (${why})`, {
    cause: error,
  });
}

function toRuntime(runtime: Runtime, array: FileArray): RuntimeTensor {
  return new runtime.Tensor(TO_RUNTIME[array.dtype], typedElements(array), array.shape);
}

function fromRuntime(tensor: RuntimeTensor, name: string): FileArray {
  const dtype = FROM_RUNTIME.get(tensor.type);
  if (!dtype || !isFileType(dtype)) {
    throw new TidemarkError(
      'type-unsupported',
      `${name}: ONNX Runtime gives ${tensor.type}, which is not compared`,
    );
  }
  const data = tensor.data;
  const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
  const values = isBig
    ? Float64Array.from(Array.from(data as BigInt64Array, Number))
    : dtype === 'f16' && data instanceof Uint16Array
      ? Float32Array.from(data, widenHalf)
      : (data as ArrayLike<number>);
  return { dtype, shape: tensor.dims.map(Number), values };
}
