/**
 * How a value of the file lies in a tensor of the graph. The file thinks channels first, the graph channels
 * last; Reshape and Transpose nodes only change the view. So a value is a tensor plus a view of it: the tensor's
 * elements are an odometer of `atoms` (sizes in memory order, no ones), and every dimension of the value is a
 * product of some of them, major first. Reshaping and transposing a value rearranges the lists and costs nothing;
 * an operator is added only when somebody asks for an order of elements that memory does not have.
 */

export interface View {
  /** Sizes in memory order. */
  readonly atoms: readonly number[];
  /** For each dimension of the value, the atoms it is made of. */
  readonly dims: readonly (readonly number[])[];
}

/** A value whose dimensions lie in the tensor as they are, or permuted: dimension perm[j] at place j. */
export function plainView(shape: readonly number[], perm?: readonly number[]): View {
  const atoms: number[] = [];
  const dims: number[][] = shape.map(() => []);
  for (const axis of perm ?? shape.keys()) {
    if (shape[axis] === 1) continue;
    dims[axis].push(atoms.length);
    atoms.push(shape[axis]);
  }
  return { atoms, dims };
}

export function shapeOf(view: View): number[] {
  return view.dims.map((dim) => dim.reduce((size, atom) => size * view.atoms[atom], 1));
}

/** Dimension perm[j] of the value becomes dimension j. */
export function transposedView(view: View, perm: readonly number[]): View {
  return { atoms: view.atoms, dims: perm.map((axis) => view.dims[axis]) };
}

/** The value under another shape, or undefined where a dimension would cut an atom unevenly. */
export function reshapedView(view: View, shape: readonly number[]): View | undefined {
  const pieces: { atom: number; size: number }[] = [];
  const dims: number[][] = [];
  const sequence = view.dims.flat().map((atom) => ({ atom, size: view.atoms[atom] }));
  let next = 0;
  for (const size of shape) {
    let left = size;
    const dim: number[] = [];
    while (left > 1) {
      const head = sequence[next];
      if (!head) return undefined;
      if (left % head.size === 0) {
        left /= head.size;
        next++;
        dim.push(pieces.push(head) - 1);
      } else if (head.size % left === 0) {
        dim.push(pieces.push({ atom: head.atom, size: left }) - 1);
        sequence[next] = { atom: head.atom, size: head.size / left };
        left = 1;
      } else return undefined;
    }
    if (left !== 1) return undefined;
    dims.push(dim);
  }
  if (next !== sequence.length) return undefined;
  // Pieces of one atom follow each other in the value from major to minor, as they do in memory.
  const order = [...pieces.keys()].sort((a, b) => pieces[a].atom - pieces[b].atom || a - b);
  const place: number[] = [];
  for (const [at, piece] of order.entries()) place[piece] = at;
  return {
    atoms: order.map((piece) => pieces[piece].size),
    dims: dims.map((dim) => dim.map((piece) => place[piece])),
  };
}

/** Steps through memory, major first: each `size` steps of `stride` elements, merged as far as they go. */
export type Walk = readonly { readonly size: number; readonly stride: number }[];

/** The way through memory that visits the value's elements in raster order of its dimensions taken in `perm`. */
export function walkOf(view: View, perm?: readonly number[]): Walk {
  const strides: number[] = [];
  let stride = 1;
  for (let atom = view.atoms.length - 1; atom >= 0; atom--) {
    strides[atom] = stride;
    stride *= view.atoms[atom];
  }
  const order = (perm ? perm.map((axis) => view.dims[axis]) : view.dims).flat();
  const walk: { size: number; stride: number }[] = [];
  for (const atom of order) {
    const last = walk[walk.length - 1];
    const step = { size: view.atoms[atom], stride: strides[atom] };
    if (last && last.stride === step.size * step.stride) {
      walk[walk.length - 1] = { size: last.size * step.size, stride: step.stride };
    } else walk.push(step);
  }
  return walk;
}

/** True when the walk goes straight through memory. */
export function isStraight(walk: Walk): boolean {
  return walk.length === 0 || (walk.length === 1 && walk[0].stride === 1);
}

export function sameWalk(a: Walk, b: Walk): boolean {
  return (
    a.length === b.length && a.every((step, i) => step.size === b[i].size && step.stride === b[i].stride)
  );
}

/** As a transposition: memory seen as `shape`, whose dimension perm[j] comes at place j. */
export function asTranspose(walk: Walk): { shape: number[]; perm: number[] } {
  const order = [...walk.keys()].sort((a, b) => walk[b].stride - walk[a].stride);
  const shape = order.map((i) => walk[i].size);
  const perm = walk.map((_, i) => order.indexOf(i));
  return { shape, perm };
}

/** Channels-last order of a channels-first value of this rank. */
export function lastPerm(rank: number): number[] {
  if (rank < 3) return [...Array(rank).keys()];
  return [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
}
