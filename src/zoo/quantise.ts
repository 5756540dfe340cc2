/**
 * A float graph as an int8 one, by post-training quantisation: activations int8 with one scale and a zero point
 * from a recorded range, weights int8 with one symmetric scale an output channel, biases int32. What keeps
 * values as they are (pools, concatenations, reshapes) shares one type from input to output, so that views
 * stay views. Operators without integer form stay float between a Dequantize and a Quantize. Tensors and
 * operators that were there before keep their order, and their ids where nothing had to be put between.
 */
import {
  ABSENT,
  type ElementType,
  type Epilogue,
  type Graph,
  lazyConstant,
  type Operator,
  type Port,
  type Tensor,
  type TensorId,
} from '../graph/graph.ts';
import { type ClipAttributes, storedBounds } from '../ops/clip.ts';
import { integerRange, sameType } from '../ops/stored.ts';
import { activationTypes } from './activation-types.ts';
import { channelScales, channelType, storedValues } from './integer-type.ts';
import { isInteger } from './quantisable.ts';
import type { Ranges } from './ranges.ts';

export interface QuantiseOptions {
  /** Give weights a stand-in scale, so that none are loaded. Left out: false. */
  readonly placeholderWeights?: boolean;
}

/** Operators whose inputs 1 and 2 are weights and bias. */
const WEIGHTED = new Set(['Conv', 'ConvTranspose', 'FullyConnected']);

const F32: ElementType = { dtype: 'f32' };

/** The int8 form of a graph. The ranges are those of this very graph (src/zoo/calibrate.ts). */
export function quantiseGraph(graph: Graph, ranges: Ranges, options: QuantiseOptions = {}): Graph {
  const { types, cores } = activationTypes(graph, ranges);
  const tensors: Tensor[] = graph.tensors.map((t) => {
    const type = types.get(t.id);
    return type ? { ...t, ...type } : t;
  });
  const operators: Operator[] = [];
  const push = (op: Omit<Operator, 'id'>) => operators.push({ ...op, id: operators.length });
  const added = (
    name: string,
    shape: readonly number[],
    type: ElementType,
    constant?: Tensor['constant'],
  ): TensorId => {
    tensors.push({ id: tensors.length, name, shape, dtype: type.dtype, quant: type.quant, constant });
    return tensors.length - 1;
  };

  // A constant is quantised once for each type that it is wanted in; the first takes its place.
  const constants = new Map<TensorId, { id: TensorId; key: string }[]>();
  const constantAs = (t: Tensor, type: ElementType): TensorId => {
    const key = `${type.dtype}/${type.quant!.scale}/${type.quant!.zeroPoint}`;
    const known = constants.get(t.id) ?? [];
    const same = known.find((k) => k.key === key);
    if (same) return same.id;
    const constant = lazyConstant(() => storedValues(t.constant!.load(), type));
    let { id } = t;
    if (known.length === 0 && !graph.outputs.some((p) => p.tensor === id))
      tensors[id] = { ...t, ...type, constant };
    else id = added(t.name, t.shape, type, constant);
    constants.set(t.id, [...known, { id, key }]);
    return id;
  };

  const weighted = (op: Operator): TensorId[] => {
    const [xId, wId, bId = ABSENT] = op.inputs;
    const w = graph.tensors[wId];
    let wTo = wId;
    if (w.constant && w.dtype === 'f32') {
      const channels = w.shape[0];
      const scale = options.placeholderWeights
        ? new Array<number>(channels).fill(1 / 128)
        : channelScales(w.constant.load(), channels);
      wTo = constantAs(w, channelType('i8', scale));
    }
    if (bId === ABSENT) return [xId, wTo, ...op.inputs.slice(2)];
    const sx = tensors[xId].quant!.scale[0];
    const channels = graph.tensors[bId].shape[0];
    const sw = tensors[wTo].quant!.scale;
    const scale = Array.from({ length: channels }, (_, c) => Math.fround(sx * sw[sw.length > 1 ? c : 0]));
    return [xId, wTo, constantAs(graph.tensors[bId], channelType('i32', scale)), ...op.inputs.slice(3)];
  };

  const floats = new Map<TensorId, TensorId>();
  const dequantised = (id: TensorId): TensorId => {
    if (id === ABSENT || !types.has(id) || graph.tensors[id].constant) return id;
    let to = floats.get(id);
    if (to === undefined) {
      const { name, shape } = graph.tensors[id];
      to = added(`${name}/dequantised`, shape, F32);
      push({ name: `${name}/Dequantize`, kind: 'Dequantize', inputs: [id], outputs: [to], attrs: {} });
      floats.set(id, to);
    }
    return to;
  };

  for (const op of graph.operators) {
    if (isInteger(op, graph)) {
      const inputs = WEIGHTED.has(op.kind)
        ? weighted(op)
        : op.inputs.map((id) => {
            const type = types.get(id);
            return id !== ABSENT && type && graph.tensors[id].constant
              ? constantAs(graph.tensors[id], type)
              : id;
          });
      const { epilogue, ...bare } = op;
      const steps = epilogue ? typedSteps(epilogue, cores.get(op.id)!) : [];
      push({ ...bare, inputs, ...(steps.length > 0 ? { epilogue: steps } : {}) });
      continue;
    }
    const inputs = op.inputs.map(dequantised);
    const outputs = op.outputs.map((id) => {
      const { name, shape } = graph.tensors[id];
      return types.has(id) ? added(`${name}/float`, shape, F32) : id;
    });
    push({ ...op, inputs, outputs });
    op.outputs.forEach((id, i) => {
      if (id === outputs[i]) return;
      const { name } = graph.tensors[id];
      push({ name: `${name}/Quantize`, kind: 'Quantize', inputs: [outputs[i]], outputs: [id], attrs: {} });
    });
  }
  const port = (p: Port): Port => ({ ...p, dtype: types.has(p.tensor) ? 'i8' : p.dtype });
  return {
    ...graph,
    dialect: 'onnx',
    tensors,
    operators,
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
  };
}

/** `chain` holds what goes into each step and, last, the output. Clips that the type's own bounds imply go. */
function typedSteps(steps: readonly Epilogue[], chain: readonly ElementType[]): Epilogue[] {
  return steps
    .map((step, i): Epilogue => ({ ...step, from: chain[i], to: chain[i + 1] }))
    .filter(({ kind, attrs, from, to }) => {
      if (kind !== 'Clip' || !sameType(from, to)) return true;
      const [least, greatest] = integerRange(to.dtype);
      const [lo, hi] = storedBounds(attrs as ClipAttributes, to, 'onnx');
      return lo > least || hi < greatest;
    });
}
