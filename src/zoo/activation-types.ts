/**
 * The integer type of every activation: from its range, joined over what must share a type. A clip at the end
 * of an epilogue works on stored values, so what goes into it has the type of what comes out; other steps get
 * a type of their own.
 */
import { ABSENT, type ElementType, type Graph, type Operator, type TensorId } from '../graph/graph.ts';
import { activationType } from './integer-type.ts';
import { isInteger, keepsValues } from './quantisable.ts';
import { type Range, type Ranges, rangeOf, union } from './ranges.ts';

export interface ActivationTypes {
  /** By tensor; constants among them where an operator reads them like an activation. */
  readonly types: ReadonlyMap<TensorId, ElementType>;
  /** By operator with an epilogue: what goes into each step, then the output. */
  readonly cores: ReadonlyMap<number, readonly ElementType[]>;
}

const WEIGHTS_FROM: Readonly<Record<string, number>> = { Conv: 1, ConvTranspose: 1, FullyConnected: 1 };

export function activationTypes(graph: Graph, ranges: Ranges): ActivationTypes {
  const wanted = wantedTensors(graph);
  const group = groups(graph, wanted);
  const joined = new Map<TensorId, Range>();
  for (const id of wanted) joined.set(group(id), union(joined.get(group(id)), rangeIn(graph, ranges, id)));
  for (const op of graph.operators) {
    // A constant that is padded in must be within the type.
    const value = op.kind === 'Pad' ? Number(op.attrs.value ?? 0) : 0;
    const at = group(op.outputs[0]);
    if (Number.isFinite(value) && joined.has(at))
      joined.set(at, union(joined.get(at), { min: value, max: value }));
  }
  const byGroup = new Map([...joined].map(([root, range]) => [root, activationType(range)]));
  const types = new Map<TensorId, ElementType>();
  for (const id of wanted) types.set(id, byGroup.get(group(id))!);
  const cores = new Map<number, readonly ElementType[]>();
  for (const op of graph.operators) {
    if (op.epilogue && isInteger(op, graph)) cores.set(op.id, chainOf(op, types, ranges));
  }
  return { types, cores };
}

/** Float tensors that some integer operator reads as a value or writes, and all that flows. */
function wantedTensors(graph: Graph): Set<TensorId> {
  const wanted = new Set<TensorId>();
  const float = (id: TensorId) => id !== ABSENT && graph.tensors[id].dtype === 'f32';
  for (const p of graph.inputs) if (float(p.tensor)) wanted.add(p.tensor);
  for (const op of graph.operators) {
    const integer = isInteger(op, graph);
    const values = op.inputs.slice(0, WEIGHTS_FROM[op.kind]);
    const dynamic = op.inputs.filter((id) => float(id) && !graph.tensors[id].constant);
    for (const id of [...dynamic, ...(integer ? values.filter(float) : []), ...op.outputs])
      if (float(id)) wanted.add(id);
  }
  return wanted;
}

function rangeIn(graph: Graph, ranges: Ranges, id: TensorId): Range {
  const { constant } = graph.tensors[id];
  return constant ? rangeOf(constant.load()) : (ranges.tensors.get(id) ?? { min: -1, max: 1 });
}

const onlyClips = (op: Operator) => (op.epilogue ?? []).every((step) => step.kind === 'Clip');

/** Union-find over tensors that must share a type. */
function groups(graph: Graph, wanted: ReadonlySet<TensorId>): (id: TensorId) => TensorId {
  const parent = new Map<TensorId, TensorId>();
  const find = (id: TensorId): TensorId => {
    let root = id;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    if (root !== id) parent.set(id, root);
    return root;
  };
  for (const op of graph.operators) {
    if (!keepsValues(op) || !isInteger(op, graph)) continue;
    const members = op.inputs.filter((id) => wanted.has(id));
    if (onlyClips(op)) members.push(...op.outputs);
    for (const id of members) {
      const a = find(members[0]);
      const b = find(id);
      if (a !== b) parent.set(b, a);
    }
  }
  return find;
}

function chainOf(op: Operator, types: ReadonlyMap<TensorId, ElementType>, ranges: Ranges): ElementType[] {
  const steps = op.epilogue!;
  const before = ranges.steps.get(op.id);
  const chain: ElementType[] = [types.get(op.outputs[0])!];
  for (let i = steps.length - 1; i >= 0; i--) {
    const own = () => activationType(before?.[i] ?? { min: -4, max: 4 });
    const given = i === 0 && keepsValues(op) ? types.get(op.inputs[0]) : undefined;
    chain.unshift(steps[i].kind === 'Clip' ? (given ?? chain[0]) : (given ?? own()));
  }
  return chain;
}
