/**
 * The order of operators that lowers the layer-by-layer peak. Exact by dynamic programming over the sets of
 * operators done, cheapest peak first, where the number of such sets allows; else the best of two orders.
 */
import { ABSENT, type Graph, type Operator, type TensorId, tensorBytes } from '../../graph/graph.ts';
import type { Storage } from '../../graph/storage.ts';
import { definitionOf } from '../../ops/registry.ts';

/** States visited before the search gives up and keeps the file's order. */
const MAX_STATES = 60_000;

interface Node {
  readonly op: Operator;
  readonly needs: readonly number[];
  readonly reads: readonly TensorId[];
  readonly writes: readonly TensorId[];
}

/** Operator ids in the best order found; undefined where the graph's own order is the only one or none better is known. */
export function bestOrder(graph: Graph, storage: Storage): number[] | undefined {
  const nodes = nodesOf(graph, storage);
  if (nodes.every((n, i) => n.needs.every((p) => p === i - 1) && (i === 0 || n.needs.length === 1)))
    return undefined;
  const order = search(graph, storage, nodes);
  return order?.some((id, i) => id !== i) ? order : undefined;
}

function nodesOf(graph: Graph, storage: Storage): Node[] {
  const maker = new Map<TensorId, number>();
  for (const op of graph.operators) for (const t of op.outputs) maker.set(t, op.id);
  return graph.operators.map((op) => {
    const arena = op.inputs.filter((t) => t !== ABSENT && !graph.tensors[t].constant);
    const view = storage.isView[op.id];
    const root = (t: TensorId) => storage.places[t].root;
    return {
      op,
      needs: [...new Set(arena.flatMap((t) => (maker.has(t) ? [maker.get(t)!] : [])))],
      reads: view ? [] : [...new Set(arena.map(root))],
      writes: view ? [] : [...new Set(op.outputs.map(root))],
    };
  });
}

interface State {
  readonly done: Uint8Array;
  readonly key: string;
  readonly peak: number;
  readonly live: number;
  readonly previous?: State;
  readonly step: number;
  readonly count: number;
}

/** Best-first over sets of done operators; a state's cost is the highest peak on the way to it. */
function search(graph: Graph, storage: Storage, nodes: readonly Node[]): number[] | undefined {
  const n = nodes.length;
  const readersOf = indexBy(nodes, 'reads');
  const writersOf = indexBy(nodes, 'writes');
  const kept = new Set(graph.outputs.map((p) => storage.places[p.tensor].root));
  const bytes = (t: TensorId) => tensorBytes(graph.tensors[t]);
  const inPlaceInputs = nodes.map(({ op }) => {
    const def = definitionOf(op.kind);
    if (storage.isView[op.id]) return [];
    const ctx = {
      op,
      inputs: op.inputs.map((t) => (t === ABSENT ? undefined : graph.tensors[t])),
      outputs: op.outputs.map((t) => graph.tensors[t]),
      dialect: graph.dialect,
    };
    return (def.inPlace?.(ctx) ?? [])
      .map((i) => op.inputs[i])
      .filter((t) => !graph.tensors[t].constant)
      .map((t) => storage.places[t].root);
  });
  let live0 = 0;
  for (const p of graph.inputs) live0 += bytes(storage.places[p.tensor].root);
  const start: State = { done: new Uint8Array(n), key: '', peak: live0, live: live0, step: -1, count: 0 };
  const heap: State[] = [];
  const push = (s: State) => {
    heap.push(s);
    let i = heap.length - 1;
    while (i > 0) {
      const p = (i - 1) >> 1;
      if (before(heap[p], heap[i])) break;
      [heap[p], heap[i]] = [heap[i], heap[p]];
      i = p;
    }
  };
  const pop = (): State => {
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      let i = 0;
      for (;;) {
        let c = 2 * i + 1;
        if (c >= heap.length) break;
        if (c + 1 < heap.length && before(heap[c + 1], heap[c])) c++;
        if (before(heap[i], heap[c])) break;
        [heap[c], heap[i]] = [heap[i], heap[c]];
        i = c;
      }
    }
    return top;
  };
  const seen = new Set<string>();
  push(start);
  let visited = 0;
  while (heap.length > 0) {
    const state = pop();
    if (seen.has(state.key)) continue;
    seen.add(state.key);
    if (state.count === n) return unwind(state, nodes);
    if (++visited > MAX_STATES) return undefined;
    for (let i = 0; i < n; i++) {
      if (state.done[i] || nodes[i].needs.some((p) => !state.done[p])) continue;
      const done = state.done.slice();
      done[i] = 1;
      let during = state.live;
      let after = state.live;
      const doneBefore = (by: ReadonlyMap<TensorId, readonly number[]>, t: TensorId) => {
        let count = 0;
        for (const x of by.get(t) ?? []) count += state.done[x];
        return count;
      };
      const fresh = nodes[i].writes.filter((t) => doneBefore(writersOf, t) === 0);
      for (const t of fresh) {
        during += bytes(t);
        after += bytes(t);
      }
      let freedInPlace = 0;
      for (const t of nodes[i].reads) {
        if (kept.has(t) || doneBefore(readersOf, t) + 1 < readersOf.get(t)!.length) continue;
        after -= bytes(t);
        if (inPlaceInputs[i].includes(t) && fresh.length > 0)
          freedInPlace = Math.max(freedInPlace, Math.min(bytes(t), bytes(fresh[0])));
      }
      for (const t of fresh) if (!kept.has(t) && !readersOf.has(t)) after -= bytes(t);
      push({
        done,
        key: keyOf(done),
        peak: Math.max(state.peak, during - freedInPlace),
        live: after,
        previous: state,
        step: i,
        count: state.count + 1,
      });
    }
  }
  return undefined;
}

/** Nodes by the tensors that they read, or write. */
function indexBy(nodes: readonly Node[], list: 'reads' | 'writes'): Map<TensorId, number[]> {
  const by = new Map<TensorId, number[]>();
  nodes.forEach((node, i) => {
    for (const t of node[list]) by.set(t, [...(by.get(t) ?? []), i]);
  });
  return by;
}

/** Lower peak first; then the state further on; then file order, so that ties keep it. */
function before(a: State, b: State): boolean {
  if (a.peak !== b.peak) return a.peak < b.peak;
  if (a.count !== b.count) return a.count > b.count;
  return a.step <= b.step;
}

function keyOf(done: Uint8Array): string {
  let key = '';
  for (let i = 0; i < done.length; i += 15) {
    let bits = 0;
    for (let k = 0; k < 15 && i + k < done.length; k++) bits |= done[i + k] << k;
    key += String.fromCharCode(bits);
  }
  return key;
}

function unwind(state: State, nodes: readonly Node[]): number[] {
  const order: number[] = [];
  for (let s: State | undefined = state; s && s.step >= 0; s = s.previous) order.push(nodes[s.step].op.id);
  return order.reverse();
}
