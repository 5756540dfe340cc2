/**
 * What a firing sequence keeps alive, and when. Rows are written and freed in order, so in the address-time
 * plane each buffer is a staircase: at any time the bytes [lo, hi) of it are live.
 */

import type { Network, RootInfo } from '../3-schedule/steps.ts';
import type { SpanSchedule } from '../3-schedule/stream.ts';
import type { FiringTable, Mode } from '../3-schedule/tables.ts';

/**
 * One thing that needs an address. Times are half firings: 2t while firing t runs (what it writes is there, what
 * it reads still is), 2t + 1 when it is over.
 */
export interface Lifetime {
  readonly name: string;
  /** Root index, or undefined for working memory. */
  readonly root?: number;
  /** Which piece of the root this is, where its rows are placed one by one. */
  readonly piece?: number;
  /** Step whose working memory this is. */
  readonly step?: number;
  /** The step's runs are staged here. */
  readonly staging?: boolean;
  readonly bytes: number;
  /** Elements, where the buffer is a ring smaller than its tensor. */
  readonly ring?: number;
  /** Live during [birth, death). */
  readonly birth: number;
  readonly death: number;
  /** From times[i] on, bytes [lo[i], hi[i]) are live. */
  readonly times: Int32Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

/** The output of a step may be written over an input, element by element, in each of its firings. */
export interface InPlacePair {
  /** Indices into the lifetimes. */
  readonly output: number;
  readonly input: number;
}

export interface Timeline {
  readonly lifetimes: readonly Lifetime[];
  readonly inPlace: readonly InPlacePair[];
  /** Steps in firing order. */
  readonly sequence: Int32Array;
  readonly modes: readonly Mode[];
  /** By step: fires from the last run to the first. Left out: none does. */
  readonly reverse?: readonly boolean[];
  /** Root index -> elements of a piece, for the roots whose rows are placed one by one. */
  readonly pieces?: ReadonlyMap<number, number>;
}

class Growing {
  readonly times: number[] = [];
  readonly lo: number[] = [];
  readonly hi: number[] = [];
  birth = -1;
  death = -1;

  set(time: number, lo: number, hi: number): void {
    const last = this.times.length - 1;
    if (last >= 0 && this.times[last] === time) {
      this.lo[last] = lo;
      this.hi[last] = hi;
      return;
    }
    if (last >= 0 && this.lo[last] === lo && this.hi[last] === hi) return;
    this.times.push(time);
    this.lo.push(lo);
    this.hi.push(hi);
  }
}

export interface TimelineOptions {
  /** Rows of tensors between spans are placed one by one too, wherever that can be. */
  readonly everyRowApart?: boolean;
}

/** Lifetimes of everything that the spans' sequences use. */
export function timelineOf(
  network: Network,
  spans: readonly SpanSchedule[],
  { everyRowApart = false }: TimelineOptions = {},
): Timeline {
  const { steps, roots } = network;
  const modes: Mode[] = steps.map(() => 'whole');
  const staged = steps.map(() => false);
  const reverse = steps.map(() => false);
  const rings = new Map<number, number>();
  const pieces = new Map<number, number>();
  for (const span of spans) {
    for (let s = span.first; s <= span.last; s++) {
      modes[s] = span.modes?.[s - span.first] ?? span.mode;
      staged[s] = span.staged ?? false;
      reverse[s] = span.reverse ?? false;
    }
    for (const [root, ring] of span.rings) if (ring < roots[root].elements) rings.set(root, ring);
    for (const [root, piece] of span.pieces ?? []) pieces.set(root, piece);
  }
  if (everyRowApart) {
    roots.forEach((r, i) => {
      if (!rings.has(i) && mayLieInRows(network, r)) pieces.set(i, r.rowElements);
    });
  }
  const before = spans.length > 0 ? spans[0].first : steps.length;
  const sequence = joinSequences(before, spans);
  const total = new Int32Array(steps.length);
  for (const s of sequence) total[s]++;
  const fired = new Int32Array(steps.length);
  const lives = roots.map(() => new Growing());
  const tables = steps.map((_, s) => network.table(s, modes[s], reverse[s]));
  const work: (Growing | undefined)[] = tables.map((t) => (t.workspaceBytes > 0 ? new Growing() : undefined));
  const stages: (Growing | undefined)[] = tables.map((t, s) =>
    staged[s] && t.stagingBytes > 0 ? new Growing() : undefined,
  );
  // Written from the end: what lies below is not there yet. Read from the end: what lies above is not needed.
  const written = roots.map((r) => (r.writers.every((s) => tables[s].shape.reverse) ? r.elements : 0));
  const needed = roots.map((r) => r.elements);
  const fromEnd = roots.map((r) => r.readers.some((s) => tables[s].shape.reverse));
  const low = roots.map(() => 0);
  const high = roots.map(() => 0);
  const readers: { step: number; lo: Int32Array; end?: Int32Array }[][] = roots.map(() => []);
  tables.forEach(({ reads }, step) => {
    for (const { root, lo, end } of reads) readers[root].push({ step, lo, end });
  });
  const lastWrites = new Map([...pieces].map(([root, piece]) => [root, lastWriteOf(roots[root], piece)]));
  const end = 2 * sequence.length + 2;
  for (let t = 0; t < sequence.length; t++) {
    const s = sequence[t];
    const table = tables[s];
    const f = fired[s]++;
    const w = work[s];
    if (w) {
      if (w.birth < 0) w.birth = 2 * t;
      w.death = 2 * t + 1;
    }
    const stage = stages[s];
    if (stage) {
      if (stage.birth < 0) stage.birth = 2 * t;
      // It is copied when the firing's reads are over.
      stage.death = 2 * t + 2;
    }
    for (const { root, lo, hi } of table.writes) {
      const live = lives[root];
      if (live.birth < 0) live.birth = stage ? 2 * t + 1 : 2 * t;
      if (hi[f] > high[root]) high[root] = hi[f];
      lastWrites.get(root)?.(lo[f], hi[f], 2 * t + 1);
      if (lo[f] < written[root]) written[root] = lo[f];
      const from = Math.max(low[root], written[root]);
      const now = stage ? 2 * t + 1 : 2 * t;
      live.death = now + 1;
      live.set(now, Math.min(from, lo[f], high[root]), high[root]);
      // What nobody reads needs its room only while it is written.
      live.set(now + 1, Math.min(from, high[root]), high[root]);
    }
    for (const { root } of table.reads) {
      const live = lives[root];
      // Where it is also what is being written, what was staged is still on its way.
      const over = stage && table.writes[0].root === root ? 2 * t + 2 : 2 * t + 1;
      live.death = over;
      if (roots[root].kept) continue;
      let lo = roots[root].elements;
      let to = 0;
      for (const r of readers[root]) {
        const next = fired[r.step] < total[r.step] ? r.lo[fired[r.step]] : roots[root].elements;
        if (next < lo) lo = next;
        if (fired[r.step] < total[r.step]) to = Math.max(to, r.end?.[fired[r.step]] ?? roots[root].elements);
      }
      if (lo > low[root]) low[root] = lo;
      if (fromEnd[root] && to < needed[root]) needed[root] = to;
      const top = Math.min(high[root], needed[root]);
      live.set(over, Math.min(Math.max(low[root], written[root]), top), top);
    }
  }
  const lifetimes: Lifetime[] = [];
  const indexOfRoot = new Map<number, number>();
  const piecesOf = new Map<number, number>();
  roots.forEach((r, i) => {
    const live = lives[i];
    if (live.birth < 0) {
      // Never made, but a step that fires names it: an address for nothing.
      const elements = r.pixelGranule || r.elements;
      const ring = elements < r.elements ? { ring: elements } : {};
      const bytes = elements * r.elementBytes;
      if (r.readers.some((s) => fired[s] > 0))
        lifetimes.push({
          ...block({ name: r.name, root: i, ...ring, bytes, birth: 0, death: 0 }),
          hi: Int32Array.of(0),
        });
      return;
    }
    const piece = pieces.get(i);
    if (piece !== undefined) {
      piecesOf.set(i, lifetimes.length);
      lifetimes.push(...singles(i, r, live, piece, lastWrites.get(i)!.times));
      return;
    }
    indexOfRoot.set(i, lifetimes.length);
    const ring = rings.get(i);
    const death = r.kept ? end : live.death;
    lifetimes.push(
      ring === undefined
        ? staircase({ name: r.name, root: i, bytes: r.bytes, birth: live.birth, death }, live, r.elementBytes)
        : block({ name: r.name, root: i, ring, bytes: ring * r.elementBytes, birth: live.birth, death }),
    );
  });
  work.forEach((w, s) => {
    if (!w || w.birth < 0) return;
    const bytes = tables[s].workspaceBytes;
    lifetimes.push(block({ name: `${steps[s].name}/work`, step: s, bytes, birth: w.birth, death: w.death }));
  });
  stages.forEach((w, step) => {
    if (!w || w.birth < 0) return;
    const { birth, death } = w;
    const bytes = tables[step].stagingBytes;
    lifetimes.push(block({ name: `${steps[step].name}/staged`, step, staging: true, bytes, birth, death }));
  });
  // What is staged is written when its reads are over: no need to follow them element by element.
  const direct = tables.map((t, s) => (staged[s] ? { ...t, reads: [] } : t));
  const inPlace = [
    ...inPlacePairs(network, direct, indexOfRoot, rings),
    ...inPlacePieces(network, direct, lifetimes, piecesOf),
  ];
  return { lifetimes, inPlace, sequence, modes, pieces, ...(reverse.includes(true) ? { reverse } : {}) };
}

/** Inputs that are there from the start arrive first, then the spans run one after another. */
function joinSequences(before: number, spans: readonly SpanSchedule[]): Int32Array {
  const length = before + spans.reduce((n, s) => n + s.sequence!.length, 0);
  const out = new Int32Array(length);
  for (let s = 0; s < before; s++) out[s] = s;
  let at = before;
  for (const span of spans) {
    out.set(span.sequence!, at);
    at += span.sequence!.length;
  }
  return out;
}

/** Rows may lie apart where nothing takes the tensor in one piece and nobody outside hands it over or takes it away. */
function mayLieInRows(
  { steps }: Network,
  { writers, pixelGranule, rowElements, elements, ...r }: RootInfo,
): boolean {
  const rows = pixelGranule > 0 && rowElements % pixelGranule === 0 && rowElements < elements;
  return rows && !r.kept && !r.external && writers.every((s) => steps[s].kind === 'operator');
}

/** When each piece of a root was written last: several writers may come to it one after another, whether or not it is still read. */
function lastWriteOf(info: RootInfo, pieceElements: number) {
  const times = new Int32Array(Math.ceil(info.elements / pieceElements));
  const note = (lo: number, hi: number, time: number): void => {
    for (let p = Math.floor(lo / pieceElements); p * pieceElements < hi; p++) times[p] = time;
  };
  return Object.assign(note, { times });
}

/** A lifetime for each piece that is ever written: from its first byte's writing until nothing of it is needed. */
function singles(
  root: number,
  info: RootInfo,
  live: Growing,
  pieceElements: number,
  lastWrites: Int32Array,
): Lifetime[] {
  const count = Math.ceil(info.elements / pieceElements);
  const births = new Int32Array(count).fill(-1);
  const deaths = new Int32Array(count).fill(live.death);
  let written = 0;
  let freed = 0;
  live.times.forEach((time, k) => {
    while (written * pieceElements < live.hi[k]) births[written++] = time;
    while (freed < written && Math.min((freed + 1) * pieceElements, info.elements) <= live.lo[k])
      deaths[freed++] = time;
  });
  return Array.from({ length: written }, (_, i) => {
    const bytes = Math.min(pieceElements, info.elements - i * pieceElements) * info.elementBytes;
    const death = Math.max(deaths[i], lastWrites[i]);
    return block({ name: `${info.name}[${i}]`, root, piece: i, bytes, birth: births[i], death });
  });
}

type Frame = Pick<
  Lifetime,
  'name' | 'root' | 'piece' | 'step' | 'staging' | 'ring' | 'bytes' | 'birth' | 'death'
>;

function staircase(frame: Frame, live: Growing, elementBytes: number): Lifetime {
  const scale = (values: readonly number[]) => Int32Array.from(values, (v) => v * elementBytes);
  return { ...frame, times: Int32Array.from(live.times), lo: scale(live.lo), hi: scale(live.hi) };
}

/** Live as a whole all the time: rings and working memory. */
function block(frame: Frame): Lifetime {
  return {
    ...frame,
    times: Int32Array.of(frame.birth),
    lo: Int32Array.of(0),
    hi: Int32Array.of(frame.bytes),
  };
}

function inPlacePairs(
  network: Network,
  tables: readonly FiringTable[],
  index: ReadonlyMap<number, number>,
  rings: ReadonlyMap<number, number>,
): InPlacePair[] {
  const pairs: InPlacePair[] = [];
  tables.forEach((table) => {
    const out = table.writes[0]?.root;
    if (out === undefined || rings.has(out)) return;
    if (network.roots[out].writers.length > 1) return;
    for (const r of table.reads) {
      if (!r.inPlace || r.root === out || rings.has(r.root) || network.roots[r.root].external) continue;
      const output = index.get(out);
      const input = index.get(r.root);
      if (output !== undefined && input !== undefined) pairs.push({ output, input });
    }
  });
  return pairs;
}

/** A row of an output may lie on the same row of an input that it is written over element by element. */
function inPlacePieces(
  network: Network,
  tables: readonly FiringTable[],
  lifetimes: readonly Lifetime[],
  piecesOf: ReadonlyMap<number, number>,
): InPlacePair[] {
  const pairs: InPlacePair[] = [];
  tables.forEach((table) => {
    const out = table.writes[0]?.root;
    const output = piecesOf.get(out);
    if (output === undefined || network.roots[out].writers.length > 1) return;
    for (const r of table.reads) {
      const input = piecesOf.get(r.root);
      if (!r.inPlace || r.root === out || input === undefined) continue;
      for (let k = 0; lifetimes[output + k]?.root === out && lifetimes[input + k]?.root === r.root; k++)
        if (lifetimes[output + k].bytes === lifetimes[input + k].bytes)
          pairs.push({ output: output + k, input: input + k });
    }
  });
  return pairs;
}
