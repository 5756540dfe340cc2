/**
 * Runs a plan's kernels in the interpreter with every access watched: a firing may touch only what `firingRights`
 * gives it. For tests.
 */
import { allocate, elementCount, type Graph, type TypedArray } from '../../graph/graph.ts';
import { banksOf, type Plan } from '../../plan/plan.ts';
import { lowerPlan } from '../lower.ts';
import type { Machine } from '../machine.ts';
import { FILL, firingRights, READ, type Right, WRITE } from '../rights.ts';
import { runProgram } from '../run-program.ts';

/** Stands beside the rights of a byte that has been written. */
const DONE = 8;

/** The outputs, in the graph's layout. Throws at the first access that a firing has no right to. */
export function guardedRun(
  graph: Graph,
  plan: Plan,
  machine: Machine,
  inputs: readonly TypedArray[],
): TypedArray[] {
  const program = lowerPlan(graph, plan, machine);
  const rights = firingRights(graph, plan, program);
  const banks = banksOf(plan).map(({ bytes }) => new Uint8Array(bytes));
  let granted: readonly Right[] = [];
  let name = '';

  /** The firing before has ended: it owes nothing, and its rights are gone. */
  const close = () => {
    for (const { bank, from, to, right } of granted) {
      if (right & FILL)
        for (let i = from; i < to; i++)
          if (!(banks[bank][i] & DONE)) throw new RangeError(`${name} has not written byte ${i}`);
    }
    for (const { bank, from, to } of granted) banks[bank].fill(0, from, to);
  };
  const before = (actor: number, n: number) => {
    close();
    name = `firing ${n} of ${program.actors[actor].name}`;
    granted = rights.next().value ?? [];
    for (const { bank, from, to, right } of granted) for (let i = from; i < to; i++) banks[bank][i] |= right;
  };
  const guard = (access: 'read' | 'write', start: number, bytes: number, bank: number) => {
    const may = banks[bank];
    const right = access === 'read' ? READ : WRITE;
    for (let i = start; i < start + bytes; i++) {
      if ((may[i] & right) === 0)
        throw new RangeError(`${name} has no right to ${access} bytes ${start} to ${start + bytes}`);
      if (access === 'write') may[i] |= DONE;
    }
  };
  const bytes = inputs.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
  const { outputs } = runProgram(program, bytes, 0x5a, { before, guard });
  close();
  return outputs.map((out, i) => {
    const t = graph.tensors[graph.outputs[i].tensor];
    const values = allocate(t.dtype, elementCount(t.shape));
    new Uint8Array(values.buffer).set(out);
    return values;
  });
}
