/** The public ONNX models, run operator by operator on their seeded input and compared with ONNX Runtime's output. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TidemarkError } from '../../../src/errors.ts';
import { elementCount, type Graph } from '../../../src/graph/graph.ts';
import { readOnnx } from '../../../src/model/onnx/read.ts';
import { contextOf, definitionOf } from '../../../src/ops/registry.ts';
import { runReference } from '../../../src/run/reference.ts';
import { MODELS } from '../../public-models-folder.ts';

export interface ModelResult {
  readonly file: string;
  /** Largest absolute difference over the range of the output; undefined when the model is refused. */
  readonly error?: number;
  /** Largest absolute difference. */
  readonly absolute?: number;
  readonly operators: number;
  readonly macs: number;
  readonly note: string;
}

interface Golden {
  readonly input_mode: string;
  readonly inputs: readonly { name: string; dtype: string; shape: number[] }[];
  readonly outputs: readonly {
    name: string;
    dtype: string;
    file: string;
    stride: number;
    min: number;
    max: number;
  }[];
  readonly weak?: string;
}

const folder = () => join(MODELS, 'onnx');

export function modelFiles(): string[] {
  return existsSync(folder()) ? readdirSync(folder()).filter((f) => f.endsWith('.onnx')) : [];
}

function goldens(): Record<string, Golden> {
  return JSON.parse(readFileSync(join(MODELS, 'goldens/goldens.json'), 'utf8'));
}

export function readModel(file: string): Graph {
  const golden = goldens()[file];
  const shapes = Object.fromEntries(golden.inputs.map((input) => [input.name, input.shape]));
  const external = (path: string) => new Uint8Array(readFileSync(join(folder(), path)));
  return readOnnx(new Uint8Array(readFileSync(join(folder(), file))), { name: file, file, shapes, external });
}

export function macsOf(graph: Graph): number {
  return graph.operators.reduce((sum, op) => sum + definitionOf(op.kind).macs(contextOf(graph, op)), 0);
}

const LONG: Record<string, string> = { f32: 'float32', f16: 'float16', u8: 'uint8', i8: 'int8' };

/** The model set's own generator of inputs (goldens/gen.mjs); half floats are truncated as its manifest says. */
async function inputsOf(graph: Graph, golden: Golden): Promise<number[][]> {
  const { gen } = await import(join(MODELS, 'goldens/gen.mjs'));
  return graph.inputs.map((port, i) => {
    const values = gen(
      LONG[port.dtype] ?? port.dtype,
      elementCount(port.shape),
      i + 1,
      golden.input_mode,
      port.shape,
    );
    return port.dtype === 'f16' ? values.map(truncatedToHalf) : values;
  });
}

function truncatedToHalf(x: number): number {
  if (x < 2 ** -14) return 0;
  const step = 2 ** (Math.floor(Math.log2(x)) - 10);
  return Math.floor(x / step) * step;
}

/** Numbers of a raw file in the words of goldens.json. */
function decoded(bytes: Buffer, dtype: string): number[] {
  const width = { float32: 4, int64: 8, float16: 2 }[dtype] ?? 1;
  return Array.from({ length: bytes.length / width }, (_, i) => {
    if (dtype === 'float32') return bytes.readFloatLE(4 * i);
    if (dtype === 'int64') return Number(bytes.readBigInt64LE(8 * i));
    if (dtype === 'float16') return half(bytes.readUInt16LE(2 * i));
    return dtype === 'int8' ? bytes.readInt8(i) : bytes[i];
  });
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return (bits & 0x8000 ? -1 : 1) * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
}

/** Runs one model. `change` is applied to the graph first. */
export async function compareModel(
  file: string,
  change: (graph: Graph) => Graph = (g) => g,
): Promise<ModelResult> {
  const golden = goldens()[file];
  let graph: Graph;
  try {
    graph = change(readModel(file));
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    return { file, operators: 0, macs: 0, note: `${error.code}: ${error.message}` };
  }
  const results = runReference(graph, await inputsOf(graph, golden));
  let error = 0;
  let absolute = 0;
  for (const output of golden.outputs) {
    const got = results.find((r) => r.name === output.name);
    if (!got) return { file, operators: 0, macs: 0, note: `no output ${output.name}` };
    const expected = decoded(readFileSync(join(MODELS, 'goldens', output.file)), output.dtype);
    let worst = 0;
    for (const [i, value] of expected.entries()) {
      const difference = Math.abs(got.values[i * output.stride] - value);
      if (!(difference <= worst)) worst = difference;
    }
    absolute = Math.max(absolute, worst);
    // An output that is one number has no range: its size stands for it. Scores below 1e-3 are all but nothing.
    const range = output.max - output.min || Math.abs(output.max);
    error = Math.max(error, worst / Math.max(range, 1e-3));
  }
  return {
    file,
    error,
    absolute,
    operators: graph.operators.length,
    macs: macsOf(graph),
    note: golden.weak ? 'weak: constant output' : '',
  };
}
