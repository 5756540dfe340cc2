/** Permutations of dimensions. */
export type Perm = readonly number[];

/** Transpose by `first`, then by `second`, as one. */
export function compose(first: Perm, second: Perm): Perm {
  return second.map((j) => first[j]);
}

/** The permutation that undoes another. */
export function inverse(perm: Perm): Perm {
  return scatter(
    perm,
    perm.map((_, j) => j),
  );
}

/** The list that has entry j of `list` at place perm[j]. */
export function scatter(perm: Perm, list: readonly number[]): readonly number[] {
  const result: number[] = [];
  perm.forEach((at, j) => {
    result[at] = list[j];
  });
  return result;
}

export function isIdentity(perm: Perm): boolean {
  return perm.every((p, i) => p === i);
}

export function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
