/**
 * Dequantize -> operator -> Quantize becomes the operator on stored integers (ONNX's QDQ form). The integer
 * operator gives what the float operator gives, up to the rounding of ties and of the bias, where no real number
 * overflows on the way. In TFLite files this holds for functions of one value without a fixed-point form, bit for
 * bit; the others stay as they are.
 *
 * A Clip before the Quantize acts on stored values instead, or vanishes where the stored range implies it:
 * quantising is monotone, so clipping before or after it is the same.
 */
import { GraphEdit } from '../../graph/edit.ts';
import {
  ABSENT,
  type ElementType,
  elementBytes,
  type Graph,
  type Operator,
  type Tensor,
  type TensorId,
} from '../../graph/graph.ts';
import { definitionOf } from '../../ops/registry.ts';
import { dequantiser, integerRange } from '../../ops/stored.ts';
import { quantisedBias } from './quantised-bias.ts';
import { staysFinite } from './real-limits.ts';

const PRODUCTS = new Set(['Conv', 'ConvTranspose', 'FullyConnected']);
const SIMPLE = new Set([
  'MatMul',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Min',
  'Max',
  'AveragePool',
  'ReduceMean',
  'Resize',
  'Softmax',
]);

export function quantiseOperators(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const quantize of edit.operators()) {
    if (!edit.alive(quantize) || quantize.kind !== 'Quantize' || quantize.epilogue?.length) continue;
    const to = edit.output(quantize);
    if (!isStored(to)) continue;
    const direct = soleProducer(edit, quantize);
    if (!direct) continue;
    if (direct.kind === 'Clip' && edit.dialect === 'onnx') {
      const before = soleProducer(edit, direct);
      if (before && convert(edit, before, quantize, direct)) continue;
    }
    convert(edit, direct, quantize, undefined);
  }
  return edit.finish();
}

/** The operator whose output only `reader` reads. */
function soleProducer(edit: GraphEdit, reader: Operator): Operator | undefined {
  const id = reader.inputs[0];
  const op = edit.producer(id);
  return op && !op.epilogue?.length && op.outputs.length === 1 && edit.soleReader(id) === reader
    ? op
    : undefined;
}

function convert(edit: GraphEdit, op: Operator, quantize: Operator, clip: Operator | undefined): boolean {
  const to = edit.output(quantize);
  const inputs = storedInputs(edit, op, to);
  if (!inputs || (edit.dialect === 'tflite' && !throughReal(edit, op, inputs[0], to))) return false;
  const operands = inputs.slice(0, PRODUCTS.has(op.kind) ? 2 : inputs.length).map((id) => edit.tensor(id));
  if (edit.dialect === 'onnx' && !staysFinite(op.kind, operands, to)) return false;
  const type: ElementType = { dtype: to.dtype, quant: to.quant };
  const step = clip && !implied(clip, to) ? [{ kind: 'Clip', attrs: clip.attrs, from: type, to: type }] : [];
  const given = { ...type, shape: to.shape };
  edit.redirect(to.id, edit.add(op.kind, inputs, op.attrs, { like: op, given, epilogue: step }));
  return true;
}

/**
 * Whether TFLite has no rule of its own for the function on stored values: then it goes through real numbers, as
 * the three operators do.
 */
function throughReal(edit: GraphEdit, op: Operator, input: TensorId, to: ElementType): boolean {
  const { unary } = definitionOf(op.kind);
  return unary !== undefined && !unary.stored?.(op.attrs, edit.tensor(input), to, edit.dialect);
}

/** The operator's inputs as stored integers; undefined where it must stay in float32. */
function storedInputs(edit: GraphEdit, op: Operator, to: Tensor): TensorId[] | undefined {
  if (PRODUCTS.has(op.kind)) {
    const x = storedInput(edit, op, 0);
    const w = dequantised(edit, op.inputs[1]);
    if (!x || !w?.quant || elementBytes(w) !== 1) return undefined;
    if (w.quant.scale.length > 1 && (w.quant.axis !== 0 || !w.constant)) return undefined;
    const bias = quantisedBias(edit, op, x, w, to);
    if (bias === undefined) return undefined;
    return bias === ABSENT ? [x.id, w.id] : [x.id, w.id, bias];
  }
  if (definitionOf(op.kind).unary) {
    // Conversions have types of their own.
    if (['Cast', 'Quantize', 'Dequantize', 'Requantize'].includes(op.kind)) return undefined;
  } else if (!SIMPLE.has(op.kind)) return undefined;
  const inputs = op.inputs.map((_, i) => storedInput(edit, op, i));
  if (op.kind === 'MatMul' && inputs.some((t) => !t || elementBytes(t) !== 1)) return undefined;
  return inputs.every((t) => t !== undefined) ? inputs.map((t) => t!.id) : undefined;
}

function storedInput(edit: GraphEdit, op: Operator, index: number): Tensor | undefined {
  const t = dequantised(edit, op.inputs[index]);
  return t && isStored(t) ? t : undefined;
}

/** The stored tensor behind a Dequantize. */
function dequantised(edit: GraphEdit, id: TensorId): Tensor | undefined {
  const op = id === ABSENT || id === undefined ? undefined : edit.producer(id);
  return op?.kind === 'Dequantize' && !op.epilogue?.length ? edit.input(op, 0) : undefined;
}

/** Quantised as a whole, to 8 bits. */
function isStored(t: ElementType): boolean {
  return t.quant?.scale.length === 1 && elementBytes(t) === 1;
}

/** Whether every stored value decodes to one inside the Clip's bounds. */
function implied(clip: Operator, to: ElementType): boolean {
  const decode = dequantiser(to);
  const [lo, hi] = integerRange(to.dtype);
  const { min, max } = clip.attrs as { min: number | null; max: number | null };
  return (min === null || decode(lo, 0) >= min) && (max === null || decode(hi, 0) <= max);
}
