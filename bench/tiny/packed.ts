/**
 * Whether any order of firings and any addresses need no more than a limit: every state of an execution together with where its live rows
 * lie, by brute force. Rows of what stays inside may lie anywhere, a multiple of 4; what is there from the start or stays to the end lies in one piece.
 */
import { keyOf, statesWithin } from './least-live.ts';
import type { Row, RowModel } from './row-model.ts';

export type Verdict = 'possible' | 'impossible' | 'given up';

const ALIGNMENT = 4;

interface State {
  readonly fired: Uint8Array;
  /** By row: its address, or -1 where it is not live. */
  readonly at: Int32Array;
  /** By tensor in one piece: where it begins, or -1 where that is still open. */
  readonly base: Int32Array;
}

/** Rows with the tensors that lie in one piece, and sums that a fold keeps as rows of their own. */
interface Plane {
  readonly rows: readonly Row[];
  readonly writes: readonly (readonly (readonly number[])[])[];
  /** By row: the tensor in one piece that it belongs to, or -1, and where in it. */
  readonly whole: Int32Array;
  readonly offset: Int32Array;
  readonly wholeBytes: readonly number[];
}

export function fitsWithin(model: RowModel, limitBytes: number, maxStates: number): Verdict {
  const plane = planeOf(model);
  const { rows } = plane;
  const { steps } = model;
  const count = steps.map((s) => s.firings.length);
  const live = (fired: Uint8Array, r: number) => {
    const row = rows[r];
    if (!row.given && !row.writers.some((w) => fired[w.step] >= w.from)) return false;
    return row.kept || row.readers.some((x) => fired[x.step] < x.to);
  };
  // What leads nowhere for want of live bytes alone need not be looked at with addresses.
  const useful = statesWithin(model, limitBytes, maxStates);
  if (!useful) return 'given up';
  const seen = new Set<string>();
  const stack: State[] = [];
  const push = (fired: Uint8Array, at: Int32Array, base: Int32Array) => {
    const key = `${keyOf(fired)}|${at.join()}|${base.join()}`;
    if (seen.has(key)) return;
    seen.add(key);
    stack.push({ fired, at, base });
  };
  /** Places for some rows one after another, clear of what `taken` says. */
  const place = (
    todo: readonly number[],
    at: Int32Array,
    base: Int32Array,
    taken: readonly (readonly [number, number])[],
    mayOver: (address: number, bytes: number, from: number, to: number) => boolean,
    done: (at: Int32Array, base: Int32Array) => void,
  ): void => {
    if (todo.length === 0) {
      done(at, base);
      return;
    }
    const [r, ...rest] = todo;
    const { bytes } = rows[r];
    const w = plane.whole[r];
    const choose = (address: number, nextBase: Int32Array) => {
      const end = address + bytes;
      if (taken.some(([from, to]) => address < to && from < end && !mayOver(address, bytes, from, to)))
        return;
      const next = at.slice();
      next[r] = address;
      place(rest, next, nextBase, [...taken, [address, end]], mayOver, done);
    };
    if (w >= 0 && base[w] >= 0) {
      choose(base[w] + plane.offset[r], base);
      return;
    }
    const size = w >= 0 ? plane.wholeBytes[w] : bytes;
    for (let from = 0; from + size <= limitBytes; from += ALIGNMENT) {
      if (w < 0) choose(from, base);
      else {
        const next = base.slice();
        next[w] = from;
        choose(from + plane.offset[r], next);
      }
    }
  };
  if (!useful.has(keyOf(new Uint8Array(steps.length)))) return 'impossible';
  const given = rows.flatMap((row, r) => (row.given ? [r] : []));
  const none = new Uint8Array(steps.length);
  const clear = (fired: Uint8Array, at: Int32Array) => at.map((a, r) => (a >= 0 && live(fired, r) ? a : -1));
  place(
    given,
    new Int32Array(rows.length).fill(-1),
    new Int32Array(plane.wholeBytes.length).fill(-1),
    [],
    () => false,
    (at, base) => push(none, clear(none, at), base),
  );
  for (let states = 0; stack.length > 0; states++) {
    if (states > maxStates || seen.size > 4 * maxStates) return 'given up';
    const { fired, at, base } = stack.pop()!;
    if (fired.every((f, i) => f === count[i])) return 'possible';
    for (let i = 0; i < steps.length; i++) {
      const f = fired[i];
      if (f >= count[i] || !steps[i].firings[f].waits.every((w) => fired[w.step] >= w.count)) continue;
      const after = fired.slice();
      after[i]++;
      if (!useful.has(keyOf(after))) continue;
      const writes = plane.writes[i][f];
      const fresh = writes.filter((r) => at[r] < 0);
      const dying = new Map<number, number>();
      for (const list of steps[i].firings[f].over)
        for (const r of list)
          if (at[r] >= 0 && !live(after, r) && !writes.includes(r)) dying.set(at[r], rows[r].bytes);
      // Written at or behind what is read.
      const mayOver = (address: number, bytes: number, from: number, to: number) =>
        address <= from && bytes <= to - from && dying.get(from) === to - from;
      const taken = rows.flatMap((row, r) => (at[r] >= 0 ? [[at[r], at[r] + row.bytes] as const] : []));
      place(fresh, at, base, taken, mayOver, (next, nextBase) => push(after, clear(after, next), nextBase));
    }
  }
  return 'impossible';
}

function planeOf(model: RowModel): Plane {
  const rows: Row[] = [...model.rows];
  const writes = model.steps.map((s, step) => {
    const lists = s.firings.map((f) => [...f.writes]);
    if (s.keepsWork && s.workBytes > 0 && lists.length > 0) {
      lists[0].push(rows.length);
      rows.push({
        name: `${s.name}/work`,
        root: -1,
        bytes: Math.ceil(s.workBytes / ALIGNMENT) * ALIGNMENT,
        kept: false,
        given: false,
        writers: [{ step, from: 1 }],
        readers: [{ step, to: s.firings.length }],
      });
    }
    return lists;
  });
  const whole = new Int32Array(rows.length).fill(-1);
  const offset = new Int32Array(rows.length);
  const wholeBytes: number[] = [];
  const index = new Map<number, number>();
  rows.forEach((row, r) => {
    if (!row.given && !row.kept) return;
    let w = index.get(row.root);
    if (w === undefined) {
      index.set(row.root, (w = wholeBytes.length));
      wholeBytes.push(0);
    }
    whole[r] = w;
    offset[r] = wholeBytes[w];
    wholeBytes[w] += row.bytes;
  });
  return { rows, writes, whole, offset, wholeBytes };
}
