/**
 * A network cut into the stages of a pipeline, each on a processor of its own (the sequel, doi 10.1145/3527457). While
 * one stage works on a picture, the stage before it works on the next one: a tensor that crosses a cut is kept whole,
 * twice; once more for every stage that it skips. Buffers take turns only within a stage.
 */
import { type CsdfGraph, wiringOf } from './model.ts';
import { reuseBuffers, totalBytes } from './reuse.ts';
import { type Preference, simulate } from './simulate.ts';

export interface Stage {
  readonly first: string;
  readonly last: string;
  readonly layers: number;
  readonly macs: number;
  /** Firings a picture. */
  readonly phases: number;
  /** FIFOs inside the stage, and what they take when they take turns. */
  readonly bufferBytes: number;
  readonly reuseBytes: number;
}

export interface Crossing {
  readonly from: string;
  readonly to: string;
  /** Whole tensors kept: 2 between neighbours. */
  readonly copies: number;
  readonly bytes: number;
}

export interface Pipeline {
  readonly stages: readonly Stage[];
  readonly crossings: readonly Crossing[];
  readonly bufferBytes: number;
  readonly reuseBytes: number;
  /** Time between pictures: the slowest stage, in multiply-accumulates. */
  readonly periodMacs: number;
  readonly macs: number;
}

export interface PipelineOptions {
  readonly preference: Preference;
  readonly inner?: boolean;
}

/** Stage of each actor: consecutive actors, the slowest stage as fast as can be. */
export function partitionActors({ actors }: CsdfGraph, stages: number): number[] {
  const n = actors.length;
  const sums = [0];
  for (const a of actors) sums.push(sums[sums.length - 1] + a.macs);
  // best[k][j]: least slowest stage when the first j actors make k stages.
  const best = [[0, ...actors.map(() => Number.POSITIVE_INFINITY)]];
  const cut: number[][] = [[]];
  for (let k = 1; k <= stages; k++) {
    best.push(new Array(n + 1).fill(Number.POSITIVE_INFINITY));
    cut.push(new Array(n + 1).fill(0));
    for (let j = k; j <= n; j++) {
      for (let i = k - 1; i < j; i++) {
        const worst = Math.max(best[k - 1][i], sums[j] - sums[i]);
        if (worst < best[k][j]) {
          best[k][j] = worst;
          cut[k][j] = i;
        }
      }
    }
  }
  const stageOf = new Array<number>(n).fill(0);
  for (let k = stages, j = n; k > 0; j = cut[k][j], k--) stageOf.fill(k - 1, cut[k][j], j);
  return endsWithNeighbours(actors, stageOf);
}

/** Inputs belong to the stage that begins, outputs to the one that ends: a stage of its own for them is none. */
function endsWithNeighbours(actors: CsdfGraph['actors'], stageOf: number[]): number[] {
  const layers = actors.flatMap((a, i) => (a.kind === 'input' || a.kind === 'output' ? [] : [stageOf[i]]));
  if (layers.length === 0) return stageOf;
  const used = [...new Set(layers)].sort((a, b) => a - b);
  return actors.map((a, i) => {
    if (a.kind === 'input') return 0;
    if (a.kind === 'output') return used.length - 1;
    return used.indexOf(stageOf[i]);
  });
}

/** Buffers and speed of a pipeline, each stage under its own self-timed schedule. */
export function pipelineOf(
  graph: CsdfGraph,
  stageOf: readonly number[],
  { preference, inner }: PipelineOptions,
): Pipeline {
  const { actors, edges } = graph;
  const stages: Stage[] = [];
  for (let s = 0; s <= Math.max(...stageOf); s++) {
    const members = actors.filter((_, a) => stageOf[a] === s);
    const layers = members.filter((a) => a.kind !== 'input' && a.kind !== 'output');
    const trace = simulate(graph, { preference, part: (a) => stageOf[a] === s });
    const own = edges.flatMap((e, i) =>
      stageOf[e.from] === s && stageOf[e.to] === s && !(inner && e.end) ? [i] : [],
    );
    const accesses = own.map((i) => ({
      bytes: trace.most[i] * edges[i].tokenBytes,
      first: trace.first[i],
      last: trace.last[i],
    }));
    stages.push({
      first: layers[0]?.name ?? '',
      last: layers[layers.length - 1]?.name ?? '',
      layers: layers.length,
      macs: members.reduce((n, a) => n + a.macs, 0),
      phases: trace.sequence.length,
      bufferBytes: totalBytes(accesses),
      reuseBytes: totalBytes(reuseBuffers(accesses)),
    });
  }
  const crossings = edges.flatMap((e): Crossing[] => {
    const copies = stageOf[e.to] - stageOf[e.from] + 1;
    if (copies === 1 || (inner && e.end)) return [];
    const bytes = copies * e.wholeTokens * e.tokenBytes;
    return [{ from: actors[e.from].name, to: actors[e.to].name, copies, bytes }];
  });
  const between = totalBytes(crossings);
  return {
    stages,
    crossings,
    bufferBytes: between + stages.reduce((n, s) => n + s.bufferBytes, 0),
    reuseBytes: between + stages.reduce((n, s) => n + s.reuseBytes, 0),
    periodMacs: Math.max(...stages.map((s) => s.macs)),
    macs: actors.reduce((n, a) => n + a.macs, 0),
  };
}

export interface PipelineRun {
  /** Time from the last picture but one to the last, in multiply-accumulates. */
  readonly periodMacs: number;
  /** By edge that crosses a cut: most copies of its tensor that existed at once. */
  readonly copies: ReadonlyMap<number, number>;
}

/**
 * Sends pictures through a pipeline of stages. A stage takes a picture when its inputs have arrived whole and there
 * is a free copy for each of its outputs, which its readers give back when they are through.
 */
export function runPipeline(graph: CsdfGraph, stageOf: readonly number[], pictures: number): PipelineRun {
  const stages = Math.max(...stageOf) + 1;
  const crossing = graph.edges.flatMap((e, i) => (stageOf[e.to] > stageOf[e.from] ? [i] : []));
  const macs = Array.from({ length: stages }, (_, s) =>
    graph.actors.reduce((n, a, i) => n + (stageOf[i] === s ? a.macs : 0), 0),
  );
  const started = macs.map(() => 0);
  const over = macs.map(() => 0);
  const until = macs.map(() => Number.POSITIVE_INFINITY);
  const copies = new Map(crossing.map((i) => [i, 0]));
  const { inputs, outputs } = wiringOf(graph);
  const edgesOf = (lists: readonly (readonly number[])[], s: number) =>
    lists.flatMap((list, a) => (stageOf[a] === s ? list.filter((e) => crossing.includes(e)) : []));
  const reads = macs.map((_, s) => edgesOf(inputs, s));
  const writes = macs.map((_, s) => edgesOf(outputs, s));
  const stage = (e: number, side: 'from' | 'to') => stageOf[graph.edges[e][side]];
  const canStart = (s: number) =>
    until[s] === Number.POSITIVE_INFINITY &&
    started[s] < pictures &&
    reads[s].every((e) => over[stage(e, 'from')] > started[s]) &&
    writes[s].every((e) => started[s] - over[stage(e, 'to')] < stage(e, 'to') - s + 1);
  const ends: number[] = [];
  let time = 0;
  for (;;) {
    for (let s = stages - 1; s >= 0; s--) {
      if (!canStart(s)) continue;
      started[s]++;
      until[s] = time + macs[s];
      for (const e of writes[s]) copies.set(e, Math.max(copies.get(e)!, started[s] - over[stage(e, 'to')]));
    }
    time = Math.min(...until);
    if (time === Number.POSITIVE_INFINITY) break;
    until.forEach((t, s) => {
      if (t > time) return;
      until[s] = Number.POSITIVE_INFINITY;
      over[s]++;
      if (s === stages - 1) ends.push(time);
    });
  }
  return { periodMacs: ends[ends.length - 1] - ends[ends.length - 2], copies };
}
