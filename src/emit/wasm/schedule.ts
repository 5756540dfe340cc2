/**
 * The loop-compressed schedule as code: each actor is a function that knows which firing is its next, and `run`
 * calls them in loops that are the schedule's own.
 */
import type { Program } from '../../kernels/program.ts';
import type { ScheduleNode } from '../../plan/plan.ts';
import type { Body, Func, Global, Local } from './encode/body.ts';
import type { FuncType, ModuleBuilder } from './encode/module.ts';

const NOTHING: FuncType = { params: [], results: [] };

interface Actor {
  /** Fires once more. */
  readonly fire: Func;
  /** Number of the next firing, where the actor fires more than once. */
  readonly next?: Global;
}

/** Defines the function that fires everything in order, once. */
export function printSchedule(
  module: ModuleBuilder,
  program: Pick<Program, 'actors' | 'schedule'>,
  kernels: ReadonlyMap<string, Func>,
): Func {
  const actors = program.actors.map(({ name, fn, firings }): Actor => {
    const kernel = kernels.get(fn)!;
    if (firings <= 1) return { fire: kernel };
    const next = module.global('i32', 0);
    const fire = module.func(`fire ${name}`, NOTHING, (b) => {
      b.getGlobal(next).call(kernel);
      b.getGlobal(next).i32(1).op('i32.add').setGlobal(next);
    });
    return { fire, next };
  });
  return module.func('run', NOTHING, (b) => {
    for (const { next } of actors) if (next) b.i32(0).setGlobal(next);
    printNodes(b, program.schedule, actors);
  });
}

function printNodes(b: Body, nodes: readonly ScheduleNode[], actors: readonly Actor[]): void {
  for (const node of nodes) {
    if (typeof node === 'number') b.call(actors[node].fire);
    else repeat(b, node[0], () => printNodes(b, node.slice(1) as ScheduleNode[], actors));
  }
}

function repeat(b: Body, times: number, body: () => void): void {
  if (times === 1) {
    body();
    return;
  }
  const left: Local = b.local('i32');
  b.i32(times).set(left);
  b.loop((again) => {
    body();
    b.get(left).i32(1).op('i32.sub').tee(left).brIf(again);
  });
  b.release(left);
}
