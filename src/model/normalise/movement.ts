/**
 * Chains of Reshape and Transpose as one permutation. The dimensions of the chain's input are split into atoms
 * as far as its reshapes need; the chain then only reorders atoms. Two chains with equal canonical forms and
 * equal input and output shapes move every element to the same place.
 */

/** The reordering, with atoms that stay neighbours merged. */
export interface Movement {
  /** Sizes of the atoms in the input's order. */
  readonly sizes: readonly number[];
  /** The output has atom `order[i]` at place i. */
  readonly order: readonly number[];
}

interface Atom {
  size: number;
}

export type Step =
  | { readonly kind: 'Reshape'; readonly shape: readonly number[] }
  | { readonly kind: 'Transpose'; readonly perm: readonly number[] };

/** The chain's steps on an input of the given shape as a movement; undefined where the shapes share no factors. */
export function movementOf(shape: readonly number[], steps: readonly Step[]): Movement | undefined {
  if (shape.some((d) => d === 0)) return undefined;
  const source: Atom[] = [];
  let dims: Atom[][] = shape.map((size) => {
    if (size === 1) return [];
    const atom = { size };
    source.push(atom);
    return [atom];
  });
  for (const step of steps) {
    if (step.kind === 'Transpose') {
      dims = step.perm.map((axis) => dims[axis]);
      continue;
    }
    const next = regroup(dims.flat(), step.shape, source);
    if (!next) return undefined;
    dims = next;
  }
  return merged(source, dims.flat());
}

/** Deals atoms out to new dimensions, splitting one where a dimension ends inside it. */
function regroup(flat: readonly Atom[], shape: readonly number[], source: Atom[]): Atom[][] | undefined {
  const pending = [...flat];
  const dims: Atom[][] = [];
  for (const d of shape) {
    const dim: Atom[] = [];
    let need = d;
    while (need > 1) {
      const atom = pending.shift();
      if (!atom) return undefined;
      if (need % atom.size === 0) {
        dim.push(atom);
        need /= atom.size;
      } else if (atom.size % need === 0) {
        const rest = { size: atom.size / need };
        atom.size = need;
        source.splice(source.indexOf(atom) + 1, 0, rest);
        dim.push(atom);
        pending.unshift(rest);
        need = 1;
      } else {
        return undefined;
      }
    }
    dims.push(dim);
  }
  return dims;
}

function merged(source: readonly Atom[], flat: readonly Atom[]): Movement {
  const place = new Map(source.map((atom, i) => [atom, i]));
  const order = flat.map((atom) => place.get(atom)!);
  // Runs of the output that are runs of the input become one atom.
  const runs: { first: number; size: number }[] = [];
  order.forEach((at, i) => {
    const last = runs.at(-1);
    if (last && at === order[i - 1] + 1) last.size *= source[at].size;
    else runs.push({ first: at, size: source[at].size });
  });
  const sorted = [...runs].sort((a, b) => a.first - b.first);
  return { sizes: sorted.map((r) => r.size), order: runs.map((r) => sorted.indexOf(r)) };
}

export function isStill(m: Movement): boolean {
  return m.order.length <= 1;
}

export function sameMovement(a: Movement, b: Movement | undefined): boolean {
  return b !== undefined && same(a.sizes, b.sizes) && same(a.order, b.order);
}

/** Whether a transposition moves any element. */
export function movesData(shape: readonly number[], perm: readonly number[]): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.some((axis, i) => i > 0 && axis < moved[i - 1]);
}

/** For each element of the output, in order, its place in the input. */
export function sourceIndices(m: Movement): Int32Array {
  const stride: number[] = [];
  let count = 1;
  for (let i = m.sizes.length - 1; i >= 0; i--) {
    stride[i] = count;
    count *= m.sizes[i];
  }
  const index = new Int32Array(count);
  let filled = 1;
  // From the innermost output atom outwards: each repeats what is filled, further on by its stride.
  for (let i = m.order.length - 1; i >= 0; i--) {
    const atom = m.order[i];
    for (let k = 1; k < m.sizes[atom]; k++) {
      for (let e = 0; e < filled; e++) index[k * filled + e] = index[e] + k * stride[atom];
    }
    filled *= m.sizes[atom];
  }
  return index;
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
