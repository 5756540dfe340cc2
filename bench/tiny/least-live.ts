/**
 * The least peak of live rows over all firing orders, by brute force: every state (how often each step has fired) that can be
 * reached no higher than a limit is visited once, the lowest way first.
 */
import type { RowModel } from './row-model.ts';

export interface LeastLive {
  /** The least peak; undefined where every order goes above the limit. */
  readonly bytes?: number;
  readonly states: number;
  /** False where there were more states than allowed: then nothing is known. */
  readonly complete: boolean;
}

/** Live bytes in a state, and while a step fires from it; whether a step can fire. */
function measuresOf(model: RowModel) {
  const { rows, steps } = model;
  const live = (fired: Uint8Array, r: number) => {
    const row = rows[r];
    if (!row.given && !row.writers.some((w) => fired[w.step] >= w.from)) return false;
    return row.kept || row.readers.some((x) => fired[x.step] < x.to);
  };
  const held = (fired: Uint8Array) =>
    steps.reduce(
      (n, s, i) => n + (s.keepsWork && fired[i] > 0 && fired[i] < s.firings.length ? s.workBytes : 0),
      0,
    );
  const liveBytes = (fired: Uint8Array) =>
    rows.reduce((n, row, r) => n + (live(fired, r) ? row.bytes : 0), held(fired));
  const ready = (fired: Uint8Array, i: number) =>
    fired[i] < steps[i].firings.length &&
    steps[i].firings[fired[i]].waits.every((w) => fired[w.step] >= w.count);
  /** Bytes while a step fires: what is live, what it writes, its working memory; less what it writes over. */
  const during = (fired: Uint8Array, i: number) => {
    const { firings, workBytes, keepsWork } = steps[i];
    const { writes, over } = firings[fired[i]];
    const after = fired.slice();
    after[i]++;
    const fresh = writes.filter((r) => !live(fired, r)).reduce((n, r) => n + rows[r].bytes, 0);
    let saved = 0;
    for (const list of over) {
      const dying = list.filter((r) => !live(after, r) && !writes.includes(r));
      saved = Math.max(
        saved,
        Math.min(
          fresh,
          dying.reduce((n, r) => n + rows[r].bytes, 0),
        ),
      );
    }
    const work = keepsWork && fired[i] > 0 ? 0 : workBytes;
    return liveBytes(fired) + fresh + work - saved;
  };
  return { liveBytes, ready, during };
}

/** States, as strings, through which some order goes that stays within the limit; undefined where there are too many. */
export function statesWithin(
  model: RowModel,
  limitBytes: number,
  maxStates: number,
): Set<string> | undefined {
  const { steps } = model;
  const { liveBytes, ready, during } = measuresOf(model);
  const start = new Uint8Array(steps.length);
  if (Math.max(model.givenBytes, liveBytes(start)) > limitBytes) return new Set();
  const before = new Map<string, string[]>([[keyOf(start), []]]);
  const open = [start];
  for (let fired = open.pop(); fired; fired = open.pop()) {
    if (before.size > maxStates) return undefined;
    for (let i = 0; i < steps.length; i++) {
      if (!ready(fired, i) || during(fired, i) > limitBytes) continue;
      const next = fired.slice();
      next[i]++;
      const known = before.get(keyOf(next));
      if (known) known.push(keyOf(fired));
      else {
        before.set(keyOf(next), [keyOf(fired)]);
        open.push(next);
      }
    }
  }
  const found = new Set<string>();
  const back = [String.fromCharCode(...steps.map((s) => s.firings.length))];
  for (let key = back.pop(); key !== undefined; key = back.pop()) {
    if (found.has(key) || !before.has(key)) continue;
    found.add(key);
    back.push(...before.get(key)!);
  }
  return found;
}

export const keyOf = (fired: Uint8Array) => String.fromCharCode(...fired);

export function leastLive(model: RowModel, limitBytes: number, maxStates: number): LeastLive {
  const { steps } = model;
  const { liveBytes, ready, during } = measuresOf(model);
  const start = new Uint8Array(steps.length);
  const first = Math.max(model.givenBytes, liveBytes(start));
  if (first > limitBytes) return { states: 0, complete: true };
  const goal = String.fromCharCode(...steps.map((s) => s.firings.length));
  const levels = new Map<number, Uint8Array[]>([[first, [start]]]);
  const seen = new Set<string>();
  let states = 0;
  for (let peak = first; ; ) {
    const level = levels.get(peak)!;
    const fired = level.pop();
    if (!fired) {
      levels.delete(peak);
      peak = Math.min(...levels.keys());
      if (peak === Number.POSITIVE_INFINITY) return { states, complete: true };
      continue;
    }
    const key = keyOf(fired);
    if (seen.has(key)) continue;
    seen.add(key);
    if (key === goal) return { bytes: peak, states, complete: true };
    if (++states > maxStates) return { states, complete: false };
    for (let i = 0; i < steps.length; i++) {
      if (!ready(fired, i)) continue;
      const to = Math.max(peak, during(fired, i));
      if (to > limitBytes) continue;
      const next = fired.slice();
      next[i]++;
      const there = levels.get(to);
      if (there) there.push(next);
      else levels.set(to, [next]);
    }
  }
}
