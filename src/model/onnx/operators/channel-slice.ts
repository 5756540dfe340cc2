/**
 * Slices of a value whose dimensions are scattered in memory (a channel split spelled as Reshape, Transpose and
 * Gather): where the sliced dimension is a part of each pixel's channels, they are a slice of the channels.
 */
import { channelsOf } from '../../../graph/graph.ts';
import { emit, type NodeContext } from '../node-context.ts';
import type { Value } from '../value.ts';

/** The slice along one axis, or undefined where it is not a slice of channels. Sizes are positive. */
export function channelSlice(
  c: NodeContext,
  x: Value,
  axis: number,
  start: number,
  step: number,
  size: number,
): Value | undefined {
  const dim = x.view.dims[axis];
  const tensor = x.source.tensor;
  if (dim.length !== 1 || x.dequantise || tensor.constant) return undefined;
  const [atom] = dim;
  const { atoms } = x.view;
  const inner = atoms.slice(atom + 1).reduce((a, b) => a * b, 1);
  const channels = channelsOf(tensor.shape);
  const outermost = inner * atoms[atom] === channels && step === 1;
  const innermost = inner === 1 && size === 1 && channels % atoms[atom] === 0 && endsAtPixel(atoms, channels);
  if (!outermost && !innermost) return undefined;
  const along = (value: number, other: (d: number) => number) =>
    tensor.shape.map((d, i) => (i === tensor.shape.length - 1 ? value : other(d)));
  const attrs = outermost
    ? {
        starts: along(start * inner, () => 0),
        steps: along(1, () => 1),
        sizes: along(size * inner, (d) => d),
      }
    : {
        starts: along(start, () => 0),
        steps: along(atoms[atom], () => 1),
        sizes: along(channels / atoms[atom], (d) => d),
      };
  const made = emit(c, 'Slice', [tensor], attrs, { type: x.type });
  const shape = x.shape.map((d, i) => (i === axis ? size : d));
  return { ...made, shape, view: resizedAtom(x, axis, size) };
}

/** Whether the innermost atoms make up exactly the channels of a pixel. */
function endsAtPixel(atoms: readonly number[], channels: number): boolean {
  let product = 1;
  for (let i = atoms.length - 1; i >= 0 && product < channels; i--) product *= atoms[i];
  return product === channels;
}

/** The view with the axis's only atom made `size`, or taken out where that is one. */
function resizedAtom({ view }: Value, axis: number, size: number): Value['view'] {
  const [atom] = view.dims[axis];
  if (size > 1) return { atoms: view.atoms.map((s, i) => (i === atom ? size : s)), dims: view.dims };
  const atoms = view.atoms.filter((_, i) => i !== atom);
  return {
    atoms,
    dims: view.dims.map((dim) => dim.filter((a) => a !== atom).map((a) => (a > atom ? a - 1 : a))),
  };
}
