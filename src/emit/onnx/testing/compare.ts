/** Runs a graph here and, written as ONNX, in ONNX Runtime. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Graph, Port, TypedArray } from '../../../graph/graph.ts';
import { loadOnnxRuntime } from '../../../run/onnx-runtime.ts';
import { runLayers } from '../../../zoo/calibrate.ts';
import { rearranged } from '../layout.ts';
import { writeOnnx } from '../write.ts';

/** Values in memory order as the port shows them. */
function shown(graph: Graph, port: Port, values: TypedArray): TypedArray {
  const { perm } = port;
  if (!perm) return values;
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  return rearranged(values, graph.tensors[port.tensor].shape, inverse);
}

const TYPES: Readonly<Record<string, Tensor.Type>> = {
  f32: 'float32',
  i8: 'int8',
  u8: 'uint8',
  i32: 'int32',
  bool: 'bool',
};

export interface Difference {
  /** Greatest difference of an output element. */
  readonly greatest: number;
  /** The same over the greatest magnitude of that output. */
  readonly relative: number;
  /** Elements that differ at all, of how many. */
  readonly count: number;
  readonly of: number;
}

/** Inputs are in memory order. Integer QDQ forms run as integer operators. */
export async function compareWithRuntime(graph: Graph, inputs: readonly TypedArray[]): Promise<Difference> {
  const ort = (await loadOnnxRuntime()) as unknown as typeof import('onnxruntime-node');
  const options: InferenceSession.SessionOptions = {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: 1,
    // On x86 ONNX Runtime takes signed activations for integers only when told so.
    extra: { session: { qdqisint8allowed: '1' } },
  };
  const session = await ort.InferenceSession.create(writeOnnx(graph), options);
  const feeds: Record<string, Tensor> = {};
  graph.inputs.forEach((port, i) => {
    feeds[port.name] = new ort.Tensor(TYPES[port.dtype], shown(graph, port, inputs[i]) as never, port.shape);
  });
  const theirs = await session.run(feeds);
  let [greatest, relative, count, of] = [0, 0, 0, 0];
  runLayers(graph, inputs).forEach((values, i) => {
    const port = graph.outputs[i];
    const ours = shown(graph, port, values);
    const { data, dims } = theirs[port.name];
    if (`${dims}` !== `${port.shape}`) throw new Error(`${port.name} is [${dims}], expected [${port.shape}]`);
    let most = 0;
    let magnitude = 0;
    ours.forEach((v, k) => {
      const other = Number(data[k]);
      const d = v === other || (Number.isNaN(v) && Number.isNaN(other)) ? 0 : Math.abs(v - other);
      if (d > 0) count++;
      most = Math.max(most, d);
      magnitude = Math.max(magnitude, Math.abs(v));
    });
    of += ours.length;
    greatest = Math.max(greatest, most);
    relative = Math.max(relative, most / (magnitude || 1));
  });
  await session.release();
  return { greatest, relative, count, of };
}
