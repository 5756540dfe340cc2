/**
 * The order of operators that lowers the layer-by-layer peak. Exact by dynamic programming over the sets of
 * operators done, cheapest peak first, where the number of such sets allows; else the best of two orders.
 */
import { doneKey } from '../../graph/done-key.ts';
import { ABSENT, type Graph, type Operator, type TensorId, tensorBytes } from '../../graph/graph.ts';
import type { Storage } from '../../graph/storage.ts';
import { contextOf, definitionOf } from '../../ops/registry.ts';
import { Heap } from './heap.ts';

/** States expanded, and operators looked at in doing so, before the search gives up and keeps the file's order. */
const MAX_STATES = 30_000;
const MAX_VISITS = 1_500_000;

/** Work in all: operators that share the tensors of those looked at, and sets of operators made. */
const MAX_WORK = 100_000_000;

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

/** What running one operator next does to memory. */
interface Move {
  readonly node: number;
  readonly during: number;
  readonly after: number;
}

interface MemoryModel {
  of(state: State, node: number): Move;
  /** How many operators read or write one of the tensors. */
  sharing(reads: readonly TensorId[], writes: readonly TensorId[]): number;
}

/** Answers what each operator would need and leave, given the set of those done. */
function memoryModel(graph: Graph, storage: Storage, nodes: readonly Node[]): MemoryModel {
  const readersOf = indexBy(nodes, 'reads');
  const writersOf = indexBy(nodes, 'writes');
  const kept = new Set(graph.outputs.map((p) => storage.places[p.tensor].root));
  const bytes = (t: TensorId) => tensorBytes(graph.tensors[t]);
  const overwritable = nodes.map(({ op }) => {
    if (storage.isView[op.id]) return [];
    const indices = definitionOf(op.kind).inPlace?.(contextOf(graph, op)) ?? [];
    const inputs = indices.map((i) => op.inputs[i]).filter((t) => !graph.tensors[t].constant);
    return inputs.map((t) => storage.places[t].root);
  });
  const count = (done: Uint8Array, list: readonly number[] | undefined) => {
    let n = 0;
    for (const x of list ?? []) n += done[x];
    return n;
  };
  const sharing = (reads: readonly TensorId[], writes: readonly TensorId[]) =>
    reads.reduce((n, t) => n + readersOf.get(t)!.length, 0) +
    writes.reduce((n, t) => n + writersOf.get(t)!.length, 0);
  const of = (state: State, node: number): Move => {
    const { reads, writes } = nodes[node];
    const fresh = writes.filter((t) => count(state.done, writersOf.get(t)) === 0);
    const made = fresh.reduce((n, t) => n + bytes(t), 0);
    let freed = 0;
    let inPlace = 0;
    for (const t of reads) {
      const readers = readersOf.get(t)!;
      if (kept.has(t) || count(state.done, readers) + 1 < readers.length) continue;
      freed += bytes(t);
      if (overwritable[node].includes(t) && fresh.length > 0)
        inPlace = Math.max(inPlace, Math.min(bytes(t), bytes(fresh[0])));
    }
    for (const t of fresh) if (!kept.has(t) && !readersOf.has(t)) freed += bytes(t);
    return { node, during: state.live + made - inPlace, after: state.live + made - freed };
  };
  return { of, sharing };
}

/** Best-first over sets of done operators; a state's cost is the highest peak on the way to it. */
function search(graph: Graph, storage: Storage, nodes: readonly Node[]): number[] | undefined {
  const n = nodes.length;
  const move = memoryModel(graph, storage, nodes);
  const live = graph.inputs.reduce(
    (sum, p) => sum + tensorBytes(graph.tensors[storage.places[p.tensor].root]),
    0,
  );
  const open = new Heap<State>(before);
  open.push({ done: new Uint8Array(n), key: '', peak: live, live, step: -1, count: 0 });
  const seen = new Set<string>();
  const sharing = nodes.map(({ reads, writes }) => move.sharing(reads, writes));
  let work = 0;
  let allowance = Math.min(MAX_STATES, Math.ceil(MAX_VISITS / n));
  for (let state = open.pop(); state; state = open.pop()) {
    if (seen.has(state.key)) continue;
    seen.add(state.key);
    if (state.count === n) return unwind(state, nodes);
    if (allowance-- === 0 || work > MAX_WORK) return undefined;
    const moves: Move[] = [];
    for (let i = 0; i < n; i++) {
      if (!state.done[i] && nodes[i].needs.every((p) => state.done[p])) {
        moves.push(move.of(state, i));
        work += sharing[i] + n;
      }
    }
    // An operator that adds nothing and raises no peak can run at once: no order gains from waiting with it.
    const free = moves.find((m) => m.after <= state.live && m.during <= state.peak);
    for (const m of free ? [free] : moves) {
      const done = state.done.slice();
      done[m.node] = 1;
      const peak = Math.max(state.peak, m.during);
      open.push({
        done,
        key: doneKey(done),
        peak,
        live: m.after,
        previous: state,
        step: m.node,
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

function unwind(state: State, nodes: readonly Node[]): number[] {
  const order: number[] = [];
  for (let s: State | undefined = state; s && s.step >= 0; s = s.previous) order.push(nodes[s.step].op.id);
  return order.reverse();
}
