/** Operators that give back their input unchanged vanish. */
import { GraphEdit } from '../../graph/edit.ts';
import { channelsOf, type Graph, type Operator, type Tensor } from '../../graph/graph.ts';
import { sameType } from '../../ops/stored.ts';

export function removeIdentities(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op) || op.epilogue?.length || op.outputs.length !== 1) continue;
    const x = edit.input(op, 0);
    const y = edit.output(op);
    if (!x || !sameType(x, y) || !sameShape(x.shape, y.shape) || !isIdentity(edit, op, x)) continue;
    // A graph output needs a tensor of its own.
    if (edit.isOutput(y.id) && (x.constant || edit.inputPort(x.id) || edit.isOutput(x.id))) continue;
    edit.redirect(y.id, x.id);
  }
  return edit.finish();
}

/** Resize coordinates for which a scale of 1 samples each pixel at its centre. */
const CENTRED = ['half_pixel', 'asymmetric', 'align_corners', 'half_pixel_symmetric'];

/** Whether an operator whose output has its input's shape and type copies it. */
function isIdentity(edit: GraphEdit, op: Operator, x: Tensor): boolean {
  const a = op.attrs;
  const all = (name: string, value: number) => (a[name] as readonly number[]).every((v) => v === value);
  switch (op.kind) {
    case 'Copy':
    case 'Reshape':
    case 'Cast':
    case 'Expand':
    case 'Requantize':
      return true;
    case 'Concat':
      return op.inputs.length === 1;
    case 'Transpose':
      return (a.perm as readonly number[]).every((p, i) => p === i);
    case 'Slice':
      return (a.steps as readonly number[]).every((s, i) => s === 1 || x.shape[i] === 1);
    case 'Pad':
      return all('before', 0) && all('after', 0);
    case 'Tile':
      return all('repeats', 1);
    case 'DepthToSpace':
    case 'SpaceToDepth':
      return a.block === 1;
    case 'ChannelShuffle':
      return a.groups === 1 || a.groups === channelsOf(x.shape);
    case 'Resize':
      return all('scales', 1) && !a.antialias && CENTRED.includes(a.coordinates as string);
    case 'MaxPool':
      return all('kernel', 1) && all('stride', 1) && all('pads', 0);
    case 'Clip':
      return a.min === null && a.max === null;
    case 'ChannelAffine':
      return all('scale', 1) && all('shift', 0);
    case 'Mul':
    case 'Div':
      return isOne(edit.input(op, 1));
    default:
      return false;
  }
}

function isOne(t: Tensor | undefined): boolean {
  return t?.constant !== undefined && t.dtype === 'f32' && t.constant.load().every((v) => v === 1);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
