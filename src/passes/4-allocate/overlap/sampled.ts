/**
 * A network run layer by layer whose overlapping layers are reduced to their key firings: lifetimes and distances
 * come out the same as with every pixel replayed, at the cost of a few firings a layer.
 */
import { channelsOf, type Graph, pixelsOf, type TensorId } from '../../../graph/graph.ts';
import { elementAt } from '../../../graph/storage.ts';
import type { PixelRange } from '../../../ops/operator.ts';
import { stagingBytes, workspaceBytes } from '../../../plan/firing.ts';
import type { Network } from '../../3-schedule/steps.ts';
import type { SpanSchedule } from '../../3-schedule/stream.ts';
import type { FiringTable, Mode, ReadAccess } from '../../3-schedule/tables.ts';
import { type Timeline, timelineOf } from '../lifetimes.ts';
import { distanceFrom, type OverlappedFiring, overlappedFiring } from './key-firings.ts';
import type { Direction, Granularity } from './raster-distance.ts';

/** The direction in which each step overlaps; undefined where it runs whole. */
export type Directions = readonly (Direction | undefined)[];

const MODE: Readonly<Record<Granularity, Mode>> = { pixel: 'pixels', element: 'pixels', row: 'rows' };

/** Layer-by-layer timelines of one network at one granularity. */
export class SampledNetwork {
  readonly #network: Network;
  readonly #granularity: Granularity;
  readonly #tables = new Map<string, { readonly table: FiringTable; readonly count: number }>();

  constructor(network: Network, granularity: Granularity) {
    this.#network = network;
    this.#granularity = granularity;
  }

  /** Lifetimes; `staging` false leaves the rooms for staged runs out, as the published figures do. */
  timeline(directions: Directions, staging = true): Timeline {
    const spans = this.#spans(directions, (s) => this.#sampled(s, directions[s]!).table.count);
    const timeline = timelineOf(this.sampled(directions), spans);
    // Staging comes last: no index changes.
    const drop = !staging || this.#granularity === 'element';
    return drop ? { ...timeline, lifetimes: timeline.lifetimes.filter((l) => !l.staging) } : timeline;
  }

  /** A span for each step, with the firings that it really takes. */
  spans(directions: Directions): SpanSchedule[] {
    return this.#spans(directions, (s) => this.#sampled(s, directions[s]!).count);
  }

  /** The whole firing sequence. */
  sequence(directions: Directions): Int32Array {
    const spans = this.spans(directions);
    const before = spans[0]?.first ?? this.#network.steps.length;
    const sequence = new Int32Array(spans.reduce((n, s) => n + s.firings, before));
    for (let s = 0; s < before; s++) sequence[s] = s;
    let at = before;
    for (const { first, firings } of spans) {
      sequence.fill(first, at, at + firings);
      at += firings;
    }
    return sequence;
  }

  /** One span a step. Inputs that are there from the start are in none. */
  #spans(directions: Directions, count: (step: number) => number): SpanSchedule[] {
    const { policy, graph, steps } = this.#network;
    const spans: SpanSchedule[] = [];
    for (let s = policy.input === 'streamed' ? 0 : graph.inputs.length; s < steps.length; s++) {
      const direction = directions[s];
      const firings = direction ? count(s) : 1;
      const how = direction
        ? { mode: MODE[this.#granularity], staged: true, reverse: direction === 'backward' }
        : { mode: 'whole' as const };
      const sequence = new Int32Array(firings).fill(s);
      spans.push({ first: s, last: s, ...how, peakBytes: 0, firings, rings: new Map(), sequence });
    }
    return spans;
  }

  /** The network with sampled tables for the steps that overlap. */
  sampled(directions: Directions): Network {
    const network = this.#network;
    return {
      ...network,
      table: (s, mode, reverse) =>
        directions[s] ? this.#sampled(s, directions[s]).table : network.table(s, mode, reverse),
    };
  }

  #sampled(step: number, direction: Direction): { readonly table: FiringTable; readonly count: number } {
    const key = `${step} ${direction}`;
    let known = this.#tables.get(key);
    if (!known) {
      known = sampleStep(this.#network, step, this.#granularity, direction);
      this.#tables.set(key, known);
    }
    return known;
  }
}

/** Table of the key firings alone, each standing for all since the one before. */
function sampleStep(network: Network, step: number, granularity: Granularity, direction: Direction) {
  const { graph, storage, rootIndex } = network;
  const operator = network.steps[step].index;
  // What a plan can run: a kernel is not told in which order to write the elements of a pixel.
  const fired = overlappedFiring(graph, operator, granularity, direction, 0);
  const { firings, run } = fired;
  const { count } = firings;
  const last = count - 1;
  const keys = firings.inputs.map((_, i) => distanceFrom(graph, storage, fired, i).firing);
  const chosen = [...new Set([...keys.filter((f) => f >= 0), last])].sort((a, b) => a - b);
  const staged = granularity !== 'element';
  // Unstaged, the last run is written while its input is still read: the input goes one moment later.
  const ends = staged ? chosen : [...chosen, last];
  const backward = direction === 'backward';
  const reads = firings.inputs.map((input, i) =>
    sampledReads(
      network,
      fired,
      i,
      ends.map((f) => (staged ? f + 1 : f)),
      rootIndex.get(storage.places[input.tensor].root)!,
    ),
  );
  const id = firings.outputs[0];
  const runs = ends.map((f, k) => {
    const from = firings.writes(k === 0 ? 0 : Math.min(last, ends[k - 1] + 1));
    const to = firings.writes(f);
    return elementsOf(graph, network, id, { lo: Math.min(from.lo, to.lo), hi: Math.max(from.hi, to.hi) });
  });
  const table: FiringTable = {
    shape: { kind: 'operator', index: operator, run, ...(backward ? { reverse: true } : {}) },
    count: ends.length,
    writes: [
      {
        root: rootIndex.get(storage.places[id].root)!,
        lo: Int32Array.from(runs, (r) => r.lo),
        hi: Int32Array.from(runs, (r) => r.hi),
      },
    ],
    reads,
    written: new Int32Array(ends.length),
    stagingBytes: staged ? stagingBytes(graph, firings) : 1,
    workspaceBytes: workspaceBytes(firings, false),
  };
  return { table, count };
}

/** `after[k]`: the first firing whose needs hold once sampled firing k is over. */
function sampledReads(
  network: Network,
  { firings, direction }: OverlappedFiring,
  i: number,
  after: readonly number[],
  root: number,
): ReadAccess {
  const { graph } = network;
  const { tensor } = firings.inputs[i];
  const { elements } = network.roots[root];
  const backward = direction === 'backward';
  const need = (f: number) => {
    for (let g = f; g < firings.count; g++) {
      const read = firings.reads(i, g);
      if (read.hi > read.lo) {
        const { lo, hi } = elementsOf(graph, network, tensor, read);
        return backward ? hi : lo;
      }
    }
    return backward ? 0 : elements;
  };
  const values = Int32Array.from([0, ...after.slice(0, -1)], need);
  const access = { root, waits: [], window: elements, inPlace: false };
  if (backward) return { ...access, lo: new Int32Array(values.length), end: values };
  let most = 0;
  for (let f = firings.count - 1; f >= 0 && most === 0; f--) {
    const read = firings.reads(i, f);
    if (read.hi > read.lo) most = elementsOf(graph, network, tensor, read).hi;
  }
  return { ...access, lo: values, upTo: new Int32Array(values.length).fill(most) };
}

/** Pixels of a tensor as elements of its root. */
function elementsOf(graph: Graph, network: Network, id: TensorId, { lo, hi }: PixelRange): PixelRange {
  const place = network.storage.places[id];
  const { shape } = graph.tensors[id];
  if (pixelsOf(shape) === 0) return { lo: place.offset, hi: place.offset };
  return { lo: elementAt(place, lo), hi: elementAt(place, hi - 1) + channelsOf(shape) };
}
