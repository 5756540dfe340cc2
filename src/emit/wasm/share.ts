/**
 * Functions that differ only in addresses become one that takes them: layers of one shape have the same kernel
 * with other weights and other places in the arena. Networks repeat themselves, so that this is a good part of the
 * code, and what is shared is compiled once by the engine.
 */
import type { Expr, Fn, Place, Region, Stmt } from '../../kernels/ir.ts';
import { rewriteBlock } from '../../kernels/rewrite.ts';

/** A function to call in place of another, and what to hand it after the arguments of that one. */
export interface Shared {
  readonly fn: string;
  readonly extra: readonly number[];
}

export interface Sharing {
  readonly functions: readonly Fn[];
  /** By the name of the function before. */
  readonly calls: ReadonlyMap<string, Shared>;
}

/** `names` are the functions that nothing but the schedule calls. `base` is where a region begins. */
export function shareFunctions(
  functions: readonly Fn[],
  names: ReadonlySet<string>,
  base: (region: Region) => number,
): Sharing {
  const groups = new Map<string, { readonly fn: Fn; readonly addresses: number[] }[]>();
  for (const given of functions) {
    if (!names.has(given.name)) continue;
    const fn = withAddends(given);
    const addresses: number[] = [];
    const shape = shapeOf(fn, base, addresses);
    const group = groups.get(shape);
    if (group) group.push({ fn, addresses });
    else groups.set(shape, [{ fn, addresses }]);
  }
  const calls = new Map<string, Shared>();
  const shared = new Map<string, Fn>();
  const dropped = new Set<string>();
  for (const group of groups.values()) {
    if (group.length === 1) continue;
    const [{ fn: first }] = group;
    const { least, params, values } = paramsOf(group.map((g) => g.addresses));
    group.forEach(({ fn }, i) => {
      calls.set(fn.name, { fn: first.name, extra: values[i] });
      if (i > 0) dropped.add(fn.name);
    });
    shared.set(first.name, withParams(first, base, least, params));
  }
  return {
    functions: functions.filter((f) => !dropped.has(f.name)).map((f) => shared.get(f.name) ?? f),
    calls,
  };
}

/** Where an index is made, a constant is added: 0 is what others may have had folded away. */
function withAddends(fn: Fn): Fn {
  const zero: Expr = { kind: 'const', type: 'index', value: 0 };
  const body = rewriteBlock(fn.body, {
    stmt: (s) => {
      if (s.kind !== 'let' || s.value.type !== 'index') return [s];
      const { value } = s;
      if (value.kind === 'binary' && value.op === 'add' && value.b.kind === 'const') return [s];
      return [{ ...s, value: { kind: 'binary', type: 'index', op: 'add', a: value, b: zero } }];
    },
  });
  return { ...fn, body };
}

/** Everything of a function but its name and its addresses, which go to a list in the order they are met. */
function shapeOf(fn: Fn, base: (region: Region) => number, addresses: number[]): string {
  const body = mapAddresses(
    fn.body,
    (p) => {
      addresses.push(base(p.region) + p.offset);
      return { region: { kind: 'arena' }, address: p.address, offset: 0 };
    },
    (e, value) => {
      addresses.push(value);
      return { ...e, b: { kind: 'const', type: 'index', value: 0 } };
    },
  );
  return JSON.stringify([fn.params, body, fn.result], (_, v) => (typeof v === 'bigint' ? `${v}n` : v));
}

type Sum = Expr & { kind: 'binary' };

/** Rebuilds a body with each place, and each sum of an index and a constant, made anew. */
function mapAddresses(
  body: readonly Stmt[],
  place: (p: Place) => Place,
  sum: (e: Sum, constant: number) => Expr,
  stmt?: (s: Stmt) => readonly Stmt[],
): Stmt[] {
  return rewriteBlock(body, {
    place,
    expr: (e) =>
      e.kind === 'binary' && e.op === 'add' && e.type === 'index' && e.b.kind === 'const'
        ? sum(e, Number(e.b.value))
        : e,
    ...(stmt ? { stmt } : {}),
  });
}

interface Params {
  /** The least of each address over all functions. */
  readonly least: readonly number[];
  /** Which parameter is added to each address; undefined where all are equal. */
  readonly params: readonly (number | undefined)[];
  /** What each function hands over. */
  readonly values: readonly (readonly number[])[];
}

/** Addresses that differ by the same amounts from function to function are moved by one parameter. */
function paramsOf(all: readonly (readonly number[])[]): Params {
  const least: number[] = [];
  const params: (number | undefined)[] = [];
  const known = new Map<string, number>();
  const steps: number[][] = [];
  for (let i = 0; i < all[0].length; i++) {
    const column = all.map((a) => a[i]);
    const low = column.reduce((x, y) => Math.min(x, y));
    const moved = column.map((v) => v - low);
    least.push(low);
    if (moved.every((m) => m === 0)) {
      params.push(undefined);
      continue;
    }
    const key = moved.join();
    let param = known.get(key);
    if (param === undefined) {
      param = steps.push(moved) - 1;
      known.set(key, param);
    }
    params.push(param);
  }
  return { least, params, values: all.map((_, i) => steps.map((s) => s[i])) };
}

/** The function with its addresses as the least ones plus parameters. */
function withParams(
  fn: Fn,
  base: (region: Region) => number,
  least: readonly number[],
  params: readonly (number | undefined)[],
): Fn {
  let next = 0;
  const fixed = new Set<string>(fn.params.filter((p) => p.type === 'index').map((p) => p.name));
  const wanted = new Map<string, Set<number>>();
  const param = (p: number): Expr => ({ kind: 'local', type: 'index', name: `by${p}` });
  const plus = (a: Expr, b: Expr): Expr => ({ kind: 'binary', type: 'index', op: 'add', a, b });

  /** A name in a sum, moved once where it is made; undefined where there is none. */
  const moveName = (e: Expr, p: number): Expr | undefined => {
    if (e.kind === 'local' && fixed.has(e.name)) {
      const set = wanted.get(e.name) ?? new Set<number>();
      wanted.set(e.name, set.add(p));
      return { ...e, name: `${e.name}_by${p}` };
    }
    if (e.kind !== 'binary' || e.op !== 'add') return undefined;
    const a = moveName(e.a, p);
    if (a) return { ...e, a };
    const b = moveName(e.b, p);
    return b && { ...e, b };
  };
  const move = (e: Expr, p: number): Expr => {
    if (e.kind === 'const' && e.value === 0) return param(p);
    return moveName(e, p) ?? plus(e, param(p));
  };

  // Names that are made once may be moved; a first pass finds them.
  rewriteBlock(fn.body, {
    stmt: (s) => {
      if (s.kind === 'let' && s.value.type === 'index') fixed.add(s.name);
      return [s];
    },
  });
  const body = mapAddresses(
    fn.body,
    (place) => {
      const i = next++;
      const p = params[i];
      const offset = least[i] - base(place.region);
      return { ...place, offset, address: p === undefined ? place.address : move(place.address, p) };
    },
    (e) => {
      const i = next++;
      const p = params[i];
      const sum: Expr = least[i] === 0 ? e.a : { ...e, b: { kind: 'const', type: 'index', value: least[i] } };
      return p === undefined ? sum : plus(sum, param(p));
    },
  );
  const moved = (name: string): Stmt[] =>
    [...(wanted.get(name) ?? [])].map((p) => ({
      kind: 'let',
      name: `${name}_by${p}`,
      value: plus({ kind: 'local', type: 'index', name }, param(p)),
    }));
  const count = Math.max(-1, ...params.map((p) => p ?? -1)) + 1;
  return {
    ...fn,
    params: [
      ...fn.params,
      ...Array.from({ length: count }, (_, p) => ({ name: `by${p}`, type: 'index' as const })),
    ],
    body: [
      ...fn.params.flatMap((p) => moved(p.name)),
      ...rewriteBlock(body, { stmt: (s) => (s.kind === 'let' ? [s, ...moved(s.name)] : [s]) }),
    ],
  };
}
