/**
 * An elementwise operator whose input nobody else needs becomes an epilogue of the operator that writes it:
 * it is applied to each run of pixels while they are at hand, and its input needs no buffer.
 */
import { GraphEdit } from '../../graph/edit.ts';
import type { ElementType, Graph, Operator, Tensor } from '../../graph/graph.ts';
import { definitionOf } from '../../ops/registry.ts';

export function fuseEpilogues(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const original of edit.operators()) {
    let op = original;
    while (edit.alive(op) && definitionOf(op.kind).unary) {
      const raised = raise(edit, op);
      if (!raised) break;
      op = raised;
    }
    if (edit.alive(op)) fuse(edit, op);
  }
  return edit.finish();
}

function fuse(edit: GraphEdit, op: Operator): void {
  if (!definitionOf(op.kind).unary) return;
  const x = edit.input(op, 0)!;
  const y = edit.output(op);
  const producer = edit.producer(x.id);
  if (!producer || edit.soleReader(x.id) !== op || !canCarry(producer) || !alike(x, y)) return;
  const core = op.epilogue?.[0]?.from ?? y;
  const step = { kind: op.kind, attrs: op.attrs, from: typeOf(x), to: typeOf(core) };
  const epilogue = [...(producer.epilogue ?? []), step, ...(op.epilogue ?? [])];
  edit.replace(producer, { outputs: [y.id], epilogue });
  edit.remove(op);
}

/** Operators that can be views carry no epilogue: it would make them copies. */
function canCarry(op: Operator): boolean {
  return op.outputs.length === 1 && !definitionOf(op.kind).aliases;
}

/** The epilogue works in place through one typed array, so both types must be held by the same kind of array. */
function alike(a: ElementType, b: ElementType): boolean {
  const array = (t: ElementType) => (t.dtype === 'bool' ? 'u8' : t.dtype);
  return array(a) === array(b);
}

function typeOf(t: ElementType): ElementType {
  return t.quant ? { dtype: t.dtype, quant: t.quant } : { dtype: t.dtype };
}

/**
 * Moves an elementwise operator from behind a view to before it, so that it can join the view's producer.
 * Returns the moved operator where that brought it next to a producer that may take it.
 */
function raise(edit: GraphEdit, op: Operator): Operator | undefined {
  const x = edit.input(op, 0)!;
  const view = edit.producer(x.id);
  if (!view || view.epilogue?.length || edit.soleReader(x.id) !== op || op.epilogue?.length) return undefined;
  const y = edit.output(op);
  if (view.kind === 'Reshape' && uniform(op) && sameParts([x, y])) {
    const from = edit.input(view, 0)!;
    const source = edit.producer(from.id);
    if (!source || edit.soleReader(from.id) !== view) return undefined;
    if (!canCarry(source) && source.kind !== 'Reshape' && source.kind !== 'Concat') return undefined;
    const moved = edit.add(op.kind, [from.id], op.attrs, {
      like: op,
      given: { ...typeOf(y), shape: from.shape },
    });
    edit.replace(view, { inputs: [moved], outputs: [y.id] });
    edit.remove(op);
    return edit.producer(moved);
  }
  if (view.kind === 'Concat' && uniform(op) && sameParts([x, y])) {
    const parts = view.inputs.map((_, i) => edit.input(view, i)!);
    const takes = (t: Tensor) => {
      const source = edit.producer(t.id);
      return source && canCarry(source) && edit.soleReader(t.id) === view && sameParts([t, x]);
    };
    if (!parts.every(takes)) return undefined;
    const inputs = parts.map((t) =>
      edit.add(op.kind, [t.id], op.attrs, { like: op, given: { ...typeOf(y), shape: t.shape } }),
    );
    edit.replace(view, { inputs, outputs: [y.id] });
    edit.remove(op);
    for (const id of inputs) fuse(edit, edit.producer(id)!);
  }
  return undefined;
}

/** The same function for every element, whatever its place. */
function uniform(op: Operator): boolean {
  if (op.kind === 'ChannelPRelu') return (op.attrs.slope as readonly number[]).length === 1;
  if (op.kind !== 'ChannelAffine') return true;
  return [op.attrs.scale, op.attrs.shift].every((list) => (list as readonly number[]).length === 1);
}

function sameParts(tensors: readonly ElementType[]): boolean {
  const [first, ...rest] = tensors.map((t) => JSON.stringify([t.dtype, t.quant]));
  return rest.every((t) => t === first);
}
