/**
 * What streaming costs in speed. On one processor a picture takes its multiply-accumulates and a start for every phase;
 * with a processor for every layer, pictures follow each other through FIFOs of the given sizes, and what counts is
 * the time from one picture's end to the next.
 */
import { type CsdfGraph, wiringOf } from './model.ts';

export interface Throughput {
  /** Firings of a picture: kernel starts on one processor. */
  readonly phases: number;
  /** Time of a picture on one processor, in multiply-accumulates. */
  readonly macs: number;
  /** Time between pictures with a processor for every layer, in multiply-accumulates. */
  readonly periodMacs: number;
  /** The slowest layer's share: no period can be shorter. */
  readonly boundMacs: number;
}

/** Pictures sent through before the period is taken, and over which it is taken. */
const WARM_UP = 2;
const MEASURED = 2;

/**
 * Self-timed execution with unbounded processors: every phase starts as soon as its layer is idle, its tokens are
 * there and its output has room, and takes an equal part of the layer's multiply-accumulates.
 */
export function throughputOf(graph: CsdfGraph, sizes: readonly number[]): Throughput {
  const ends = pictureEnds(graph, sizes, WARM_UP + MEASURED);
  const phases = graph.actors.reduce((n, a) => n + a.phases, 0);
  return {
    phases,
    macs: graph.actors.reduce((n, a) => n + a.macs, 0),
    periodMacs: (ends[ends.length - 1] - ends[WARM_UP - 1]) / MEASURED,
    boundMacs: Math.max(0, ...graph.actors.map((a) => a.macs)),
  };
}

/** When each of several pictures is through, in multiply-accumulates. */
function pictureEnds(graph: CsdfGraph, sizes: readonly number[], pictures: number): number[] {
  const { actors, edges } = graph;
  const { inputs, outputs } = wiringOf(graph);
  const started = actors.map(() => 0);
  const over = actors.map(() => 0);
  const busyUntil = actors.map(() => Number.NEGATIVE_INFINITY);
  const ends: number[] = [];
  /** Running sums over pictures. */
  const upTo = (sums: Int32Array, phases: number, fired: number) => {
    const whole = Math.floor(fired / phases);
    const rest = fired % phases;
    return whole * sums[sums.length - 1] + (rest === 0 ? 0 : sums[rest - 1]);
  };
  // Skipped tokens leave at the end of the picture at the latest.
  const freed = (e: number) => {
    const { frees, needs, to } = edges[e];
    const whole = Math.floor(over[to] / actors[to].phases);
    const rest = over[to] % actors[to].phases;
    const last = needs[needs.length - 1];
    return whole * last + (rest === 0 ? 0 : Math.min(last, frees[rest - 1]));
  };
  const canStart = (a: number) => {
    const { phases } = actors[a];
    if (busyUntil[a] > Number.NEGATIVE_INFINITY || started[a] >= phases * pictures) return false;
    const next = started[a] + 1;
    const picture = Math.floor(started[a] / phases);
    const phase = started[a] % phases;
    for (const e of inputs[a]) {
      const { needs, made, from } = edges[e];
      if (upTo(made, actors[from].phases, over[from]) < picture * needs[needs.length - 1] + needs[phase])
        return false;
    }
    for (const e of outputs[a]) if (upTo(edges[e].made, phases, next) - freed(e) > sizes[e]) return false;
    return true;
  };
  const last = actors.map((_, a) => outputs[a].length === 0);
  let time = 0;
  for (;;) {
    for (let a = actors.length - 1; a >= 0; a--) {
      if (!canStart(a)) continue;
      started[a]++;
      busyUntil[a] = time + actors[a].macs / actors[a].phases;
    }
    const running = busyUntil.filter((t) => t > Number.NEGATIVE_INFINITY);
    if (running.length === 0) break;
    time = running.reduce((least, t) => Math.min(least, t), Number.POSITIVE_INFINITY);
    busyUntil.forEach((t, a) => {
      if (t !== time) return;
      busyUntil[a] = Number.NEGATIVE_INFINITY;
      over[a]++;
    });
    const through = actors.reduce(
      (n, actor, a) => (last[a] ? Math.min(n, Math.floor(over[a] / actor.phases)) : n),
      pictures,
    );
    while (ends.length < through) ends.push(time);
  }
  if (ends.length < pictures) throw new Error(`${graph.name}: the FIFOs are too small`);
  return ends;
}
