/**
 * Runs a plan's kernels in the interpreter with every access watched: a firing may read only what `reads` names and
 * what it writes itself, and write only its own pixels and its working memory. For tests.
 */
import { allocate, elementCount, type Graph, type TensorId, type TypedArray } from '../../graph/graph.ts';
import type { PixelRange } from '../../ops/operator.ts';
import { firingsOf } from '../../plan/firing.ts';
import type { Plan } from '../../plan/plan.ts';
import { plannedGraph } from '../../plan/planned-graph.ts';
import { lowerPlan, planSites } from '../lower.ts';
import type { Machine } from '../machine.ts';
import { runProgram } from '../run-program.ts';
import { byteOf } from '../site.ts';

const READ = 1;
const WRITE = 2;

/** The outputs, in the graph's layout. Throws at the first access that a firing has no right to. */
export function guardedRun(
  graph: Graph,
  plan: Plan,
  machine: Machine,
  inputs: readonly TypedArray[],
): TypedArray[] {
  const program = lowerPlan(graph, plan, machine);
  const planned = plannedGraph(graph, plan).graph;
  const siteOf = planSites(graph, plan, machine);
  const rights = new Uint8Array(plan.arenaBytes);
  let name = '';

  const allow = (right: number, from: number, to: number) => {
    for (let i = from; i < to; i++) rights[i] |= right;
  };
  const allowPixels = (right: number, id: TensorId, { lo, hi }: PixelRange) => {
    const site = siteOf(id);
    if (site.region.kind !== 'arena') return;
    for (let p = lo; p < hi; p++) {
      const at = byteOf(site, p);
      allow(right, at, at + site.channels * site.cellBytes);
    }
  };
  const allowBuffer = (index: number | undefined) => {
    if (index === undefined) return;
    const { offset, bytes } = plan.buffers[index];
    allow(READ | WRITE, offset, offset + bytes);
  };

  const firings = new Map<number, ReturnType<typeof firingsOf>>();
  const before = (actor: number, n: number) => {
    const { fn } = program.actors[actor];
    name = `firing ${n} of ${program.actors[actor].name}`;
    rights.fill(0);
    const [, number] = /^fire_(\d+)$/.exec(fn) ?? [];
    if (number === undefined) {
      rights.fill(READ);
      return;
    }
    const shape = plan.actors[Number(number)];
    const of = firings.get(Number(number)) ?? firingsOf(planned, shape);
    firings.set(Number(number), of);
    of.inputs.forEach(({ tensor }, i) => {
      allowPixels(READ, tensor, of.reads(i, n));
    });
    for (const id of of.outputs)
      if (elementCount(planned.tensors[id].shape) > 0) allowPixels(READ | WRITE, id, of.writes(n));
    allowBuffer(shape.scratch);
    allowBuffer(shape.staged);
  };
  const guard = (access: 'read' | 'write', start: number, bytes: number) => {
    const right = access === 'read' ? READ : WRITE;
    for (let i = start; i < start + bytes; i++)
      if ((rights[i] & right) === 0)
        throw new RangeError(`${name} has no right to ${access} bytes ${start} to ${start + bytes}`);
  };
  const bytes = inputs.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
  return runProgram(program, bytes, 0x5a, { before, guard }).outputs.map((out, i) => {
    const t = graph.tensors[graph.outputs[i].tensor];
    const values = allocate(t.dtype, elementCount(t.shape));
    new Uint8Array(values.buffer).set(out);
    return values;
  });
}
