/** What a network's buffers take: every edge a FIFO of its own, every tensor one buffer, and buffers that take turns. */
import type { CsdfGraph } from './model.ts';
import { type Access, reuseBuffers, type SharedBuffer, totalBytes } from './reuse.ts';
import { type Preference, simulate, type Trace } from './simulate.ts';

export interface EdgeSize {
  readonly from: string;
  readonly to: string;
  /** The whole tensor, and what the FIFO holds at most. */
  readonly wholeBytes: number;
  readonly bufferBytes: number;
  /** Connects the network with the outside. */
  readonly end?: 'input' | 'output';
}

export interface CsdfSizes {
  readonly edges: readonly EdgeSize[];
  /** Sums over the edges. */
  readonly naiveBytes: number;
  readonly bufferBytes: number;
  /** One buffer a tensor, read by all its readers. */
  readonly sharedBytes: number;
  /** Edges whose times of use do not meet in one buffer. */
  readonly reuseBytes: number;
  /** Most that tensors' buffers take at one time: what addresses for them can come down to. */
  readonly liveBytes: number;
  readonly buffers: readonly SharedBuffer[];
  /** Firings of one iteration. */
  readonly phases: number;
}

export interface SizeOptions {
  readonly preference: Preference;
  /** Leaves out the edges that come in and go out. */
  readonly inner?: boolean;
}

/** Sizes under the self-timed schedule. */
export function sizesOf(graph: CsdfGraph, options: SizeOptions): CsdfSizes & { readonly trace: Trace } {
  const trace = simulate(graph, options);
  const listed = graph.edges.map((_, i) => i).filter((i) => !(options.inner && graph.edges[i].end));
  const bytes = (i: number) => trace.most[i] * graph.edges[i].tokenBytes;
  const edges = listed.map((i): EdgeSize => {
    const { from, to, wholeTokens, tokenBytes, end } = graph.edges[i];
    return {
      from: graph.actors[from].name,
      to: graph.actors[to].name,
      wholeBytes: wholeTokens * tokenBytes,
      bufferBytes: bytes(i),
      ...(end ? { end } : {}),
    };
  });
  const buffers = reuseBuffers(
    listed.map((i) => ({ bytes: bytes(i), first: trace.first[i], last: trace.last[i] })),
  );
  const tensors = tensorUses(graph, trace, listed);
  return {
    edges,
    naiveBytes: edges.reduce((sum, e) => sum + e.wholeBytes, 0),
    bufferBytes: edges.reduce((sum, e) => sum + e.bufferBytes, 0),
    sharedBytes: totalBytes(tensors),
    reuseBytes: totalBytes(buffers),
    liveBytes: greatestLoad(tensors),
    buffers,
    phases: trace.sequence.length,
    trace,
  };
}

/** By tensor: its shared buffer, from the first use on any of its edges to the last. */
function tensorUses(graph: CsdfGraph, trace: Trace, listed: readonly number[]): Access[] {
  const uses = new Map<number, { bytes: number; first: number; last: number }>();
  for (const i of listed) {
    const { tensor, tokenBytes } = graph.edges[i];
    const bytes = trace.shared.get(tensor)! * tokenBytes;
    const { first, last } = uses.get(tensor) ?? { first: Number.POSITIVE_INFINITY, last: -1 };
    uses.set(tensor, {
      bytes,
      first: Math.min(first, trace.first[i]),
      last: Math.max(last, trace.last[i]),
    });
  }
  return [...uses.values()];
}

/** Greatest sum of what is in use at one time. */
function greatestLoad(uses: readonly Access[]): number {
  const events = uses.flatMap(({ bytes, first, last }) => [
    { time: first, bytes },
    { time: last + 1, bytes: -bytes },
  ]);
  events.sort((a, b) => a.time - b.time || a.bytes - b.bytes);
  let load = 0;
  let most = 0;
  for (const e of events) {
    load += e.bytes;
    most = Math.max(most, load);
  }
  return most;
}
