/** Runs a whole program in the interpreter: for tests, which compare it with the reference and with the targets. */
import type { ScheduleNode } from '../plan/plan.ts';
import { Interpreter, type Memory } from './interpret.ts';
import type { Program } from './program.ts';

/** Looks on while a program runs. */
export interface Onlooker {
  /** Firing n of an actor of the program is next. */
  before(actor: number, n: number): void;
  readonly guard: NonNullable<Memory['guard']>;
}

/** `inputs[i]` holds the bytes of input i. Gives the bytes of the outputs, and the arena as the run left it. */
export function runProgram(
  program: Program,
  inputs: readonly Uint8Array[],
  paint = 0,
  onlooker?: Onlooker,
): { readonly outputs: Uint8Array[]; readonly arena: Uint8Array } {
  const arena = new Uint8Array(program.arenaBytes).fill(paint);
  const banks = program.banks.map(({ bytes }) => new Uint8Array(bytes).fill(paint));
  const outputs = program.outputs.map((p) => new Uint8Array(p.bytes));
  const data = program.data.map((d) => d.bytes);
  const interpreter = new Interpreter(program.functions, {
    arena,
    banks,
    data,
    inputs,
    outputs,
    ...(onlooker ? { guard: onlooker.guard } : {}),
  });
  const takes = new Set(program.functions.flatMap((f) => (f.params.length > 0 ? [f.name] : [])));
  const next = program.actors.map(() => 0);
  const fire = (nodes: readonly ScheduleNode[]): void => {
    for (const node of nodes) {
      if (typeof node !== 'number') {
        for (let i = 0; i < node[0]; i++) fire(node.slice(1) as ScheduleNode[]);
        continue;
      }
      const { fn } = program.actors[node];
      const n = next[node]++;
      onlooker?.before(node, n);
      interpreter.call(fn, takes.has(fn) ? [n] : []);
    }
  };
  fire(program.schedule);
  program.outputs.forEach((port, i) => {
    const memory = port.bank ? banks[port.bank - 1] : arena;
    if (port.where === 'arena') outputs[i].set(memory.subarray(port.offset, port.offset + port.bytes));
    if (port.where === 'constant') outputs[i].set(data[port.offset]);
  });
  return { outputs, arena };
}
