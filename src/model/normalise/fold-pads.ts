/**
 * A constant Pad of the picture's edges moves into the padding of the windows that read it, when they all would
 * see the same values: zero for convolutions, zero counted as an element for averages, nothing for maxima.
 */
import { GraphEdit } from '../../graph/edit.ts';
import type { Attributes } from '../../graph/graph.ts';
import { elementCount, type Graph, type Operator, type Tensor } from '../../graph/graph.ts';
import { definitionOf } from '../../ops/registry.ts';
import { integerRange, sameType } from '../../ops/stored.ts';

export function foldPads(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const pad of edit.operators()) {
    if (!edit.alive(pad) || pad.kind !== 'Pad' || pad.epilogue?.length) continue;
    const y = edit.output(pad);
    const sides = spatialSides(edit, pad);
    const readers = edit.readers(y.id);
    if (!sides || readers.length === 0 || edit.isOutput(y.id)) continue;
    const folded = readers.map((op) => foldedAttributes(edit, pad, op, sides));
    if (!folded.every((attrs) => attrs !== undefined)) continue;
    readers.forEach((op, i) => {
      const inputs = op.inputs.map((t) => (t === y.id ? pad.inputs[0] : t));
      edit.replace(op, { inputs, attrs: folded[i]! });
    });
  }
  return edit.finish();
}

/** [top, left, bottom, right], where the Pad adds to nothing else and takes nothing away. */
function spatialSides(edit: GraphEdit, pad: Operator): readonly number[] | undefined {
  const { before, after, mode } = pad.attrs as {
    before: readonly number[];
    after: readonly number[];
    mode: string;
  };
  const x = edit.input(pad, 0)!;
  if (mode !== 'constant' || x.shape.length !== 4 || !sameType(x, edit.output(pad))) return undefined;
  if (before[0] || after[0] || before[3] || after[3] || [...before, ...after].some((n) => n < 0))
    return undefined;
  return [before[1], before[2], after[1], after[2]];
}

/** The window's attributes with the Pad inside; undefined where that would change a value. */
function foldedAttributes(
  edit: GraphEdit,
  pad: Operator,
  op: Operator,
  sides: readonly number[],
): Attributes | undefined {
  const y = edit.output(pad);
  if (op.inputs.filter((t) => t === y.id).length !== 1 || op.inputs[0] !== y.id) return undefined;
  const old = op.attrs.pads as readonly number[] | undefined;
  if (!old) return undefined;
  const pads = old.map((p, i) => p + sides[i]);
  const value = pad.attrs.value as number;
  const attrs = ((): Attributes | undefined => {
    switch (op.kind) {
      case 'Conv':
        return value === 0 ? { ...op.attrs, pads } : undefined;
      case 'AveragePool': {
        const counted = op.attrs.countPad === true || old.every((p) => p === 0);
        const supported = y.dtype === 'f32' || edit.dialect === 'onnx';
        if (value !== 0 || !counted || op.attrs.ceil || !supported) return undefined;
        return { ...op.attrs, pads, countPad: true };
      }
      case 'MaxPool':
        return maximumUnchanged(edit, pad, op, pads) ? { ...op.attrs, pads } : undefined;
      default:
        return undefined;
    }
  })();
  if (!attrs) return undefined;
  const x = edit.input(pad, 0)!;
  const out = edit.output(op);
  const inputs = op.inputs.map((_, i) => (i === 0 ? x : edit.input(op, i)));
  const [type] = definitionOf(op.kind).infer(inputs, attrs, [out]);
  return type.shape.every((d, i) => d === out.shape[i]) ? attrs : undefined;
}

/** Padding never wins a maximum, and every window holds an element of the picture besides. */
function maximumUnchanged(edit: GraphEdit, pad: Operator, op: Operator, pads: readonly number[]): boolean {
  const x = edit.input(pad, 0)!;
  const kernel = op.attrs.kernel as readonly number[];
  const dilation = (op.attrs.dilation ?? [1, 1]) as readonly number[];
  const old = op.attrs.pads as readonly number[];
  if (dilation.some((d) => d !== 1) || pads.some((p, i) => p >= kernel[i % 2]) || op.attrs.ceil) return false;
  if (elementCount(x.shape) === 0 || old.some((p) => p < 0)) return false;
  return (pad.attrs.value as number) <= leastValue(edit, x);
}

/** A number that no element of the tensor is below. */
function leastValue(edit: GraphEdit, x: Tensor): number {
  const least =
    x.dtype === 'f32' ? -3.4028234663852886e38 : x.quant ? quantisedLeast(x) : integerRange(x.dtype)[0];
  const op = edit.producer(x.id);
  if (!op) return least;
  const last = op.epilogue?.at(-1) ?? op;
  if (x.dtype !== 'f32') return least;
  const bound = boundOf(last.kind, last.attrs);
  return Math.max(least, bound);
}

function quantisedLeast(x: Tensor): number {
  const { scale, zeroPoint } = x.quant!;
  return scale.length === 1 ? (integerRange(x.dtype)[0] - zeroPoint[0]) * scale[0] : Number.NEGATIVE_INFINITY;
}

function boundOf(kind: string, attrs: Attributes): number {
  switch (kind) {
    case 'Clip':
      return (attrs.min as number | null) ?? Number.NEGATIVE_INFINITY;
    case 'Sigmoid':
    case 'HardSigmoid':
    case 'Abs':
    case 'Exp':
    case 'Sqrt':
    case 'Softplus':
    case 'Softmax':
      return 0;
    default:
      return Number.NEGATIVE_INFINITY;
  }
}
