/**
 * Checks what every graph promises (src/graph/graph.ts): ids, order, one producer each, shapes that follow from
 * the operators, quantisation of the right length. Thrown errors mean a defect of a reader or a pass.
 */
import { TidemarkError, within } from '../../errors.ts';
import {
  ABSENT,
  elementBytes,
  elementCount,
  type Graph,
  type Operator,
  type Tensor,
} from '../../graph/graph.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import { contextOf, definitionOf } from '../../ops/registry.ts';

/** Throws `graph-invalid` at the first broken promise; returns the graph. */
export function validate(graph: Graph): Graph {
  const written = new Array<boolean>(graph.tensors.length).fill(false);
  graph.tensors.forEach((t, i) => {
    checkTensor(t, i);
    if (t.constant) written[i] = true;
  });
  for (const p of graph.inputs) {
    const t = tensorOf(graph, p.tensor, `input ${p.name}`);
    if (written[t.id]) fail(`input ${p.name}: the tensor ${t.name} is a constant or another input`);
    written[t.id] = true;
    checkPort(p.name, p.shape, p.perm, t);
  }
  graph.operators.forEach((op, i) => {
    if (op.id !== i) fail(`operator ${op.name}: expected id ${i}, got ${op.id}`);
    for (const id of op.inputs) {
      if (id === ABSENT) continue;
      const t = tensorOf(graph, id, `operator ${op.name}`);
      if (!written[id]) fail(`operator ${op.name} reads ${t.name} before it is written`);
    }
    for (const id of op.outputs) {
      const t = tensorOf(graph, id, `operator ${op.name}`);
      if (written[id]) fail(`operator ${op.name} writes ${t.name}, which has a value already`);
      written[id] = true;
    }
    checkTypes(graph, op);
  });
  for (const p of graph.outputs) {
    const t = tensorOf(graph, p.tensor, `output ${p.name}`);
    if (!written[t.id]) fail(`output ${p.name}: nothing writes ${t.name}`);
    checkPort(p.name, p.shape, p.perm, t);
  }
  return graph;
}

function fail(message: string): never {
  throw new TidemarkError('graph-invalid', message);
}

function tensorOf(graph: Graph, id: number, where: string): Tensor {
  return graph.tensors[id] ?? fail(`${where}: there is no tensor ${id}`);
}

function checkTensor(t: Tensor, index: number): void {
  if (t.id !== index) fail(`tensor ${t.name}: expected id ${index}, got ${t.id}`);
  if (!t.shape.every((d) => Number.isInteger(d) && d >= 0))
    fail(`tensor ${t.name}: the shape [${t.shape}] is not one`);
  if (!t.quant) return;
  const { scale, zeroPoint, axis } = t.quant;
  const entries = scale.length;
  if (zeroPoint.length !== entries || (entries !== 1 && entries !== t.shape[axis])) {
    fail(
      `tensor ${t.name}: ${entries} scales and ${zeroPoint.length} zero points along axis ${axis} of [${t.shape}]`,
    );
  }
}

function checkPort(
  name: string,
  shape: readonly number[],
  perm: readonly number[] | undefined,
  t: Tensor,
): void {
  const inner = perm ? perm.map((axis) => shape[axis]) : shape;
  const agrees = perm ? same(inner, t.shape) : elementCount(shape) === elementCount(t.shape);
  if (!agrees)
    fail(`port ${name}: shape [${shape}]${perm ? ` by [${perm}]` : ''} is not the tensor's [${t.shape}]`);
}

function checkTypes(graph: Graph, op: Operator): void {
  const ctx = contextOf(graph, op);
  const epilogue = op.epilogue ?? [];
  const given = ctx.outputs.map((t) => {
    const core = coreOutputType(epilogue, t);
    return { shape: t.shape, dtype: core.dtype, quant: core.quant };
  });
  const types = within(`operator ${op.name} (${op.kind})`, () =>
    definitionOf(op.kind).infer(ctx.inputs, op.attrs, given),
  );
  types.forEach((type, i) => {
    const t =
      ctx.outputs[i] ??
      fail(`operator ${op.name}: ${types.length} outputs expected, got ${ctx.outputs.length}`);
    if (!same(type.shape, t.shape))
      fail(`operator ${op.name}: the output is [${type.shape}], the tensor [${t.shape}]`);
    if (type.dtype !== given[i].dtype)
      fail(`operator ${op.name}: the output is ${type.dtype}, the tensor ${given[i].dtype}`);
  });
  epilogue.forEach((step, i) => {
    const next = i + 1 < epilogue.length ? epilogue[i + 1].from : ctx.outputs[0];
    if (step.to.dtype !== next.dtype)
      fail(`operator ${op.name}: epilogue ${step.kind} gives ${step.to.dtype}, not ${next.dtype}`);
    if (elementBytes(step.from) !== elementBytes(step.to))
      fail(`operator ${op.name}: epilogue ${step.kind} changes the size`);
    if (!definitionOf(step.kind).unary) fail(`operator ${op.name}: ${step.kind} cannot be an epilogue`);
  });
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
