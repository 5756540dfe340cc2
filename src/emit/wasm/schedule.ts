/**
 * The loop-compressed schedule as code: each actor is a function that knows which firing is its next, and `run`
 * calls them in loops that are the schedule's own.
 */
import type { Program } from '../../kernels/program.ts';
import type { ScheduleNode } from '../../plan/plan.ts';
import type { Body, Func, Global, Local } from './encode/body.ts';
import type { FuncType, ModuleBuilder } from './encode/module.ts';
import type { Shared } from './share.ts';

const NOTHING: FuncType = { params: [], results: [] };

interface Actor {
  /** Fires once more, where it fires more than once; else takes `args`. */
  readonly fire: Func;
  readonly args: readonly number[];
  /** Number of the next firing, where the actor fires more than once. */
  readonly next?: Global;
}

/** Defines the function that fires everything in order, once. */
export function printSchedule(
  module: ModuleBuilder,
  program: Pick<Program, 'actors' | 'schedule' | 'functions'>,
  kernels: ReadonlyMap<string, Func>,
  calls: ReadonlyMap<string, Shared>,
): Func {
  const numbered = new Set(program.functions.filter((f) => f.params.length > 0).map((f) => f.name));
  const actors = program.actors.map(({ name, fn, firings }): Actor => {
    const shared = calls.get(fn);
    const kernel = kernels.get(shared?.fn ?? fn)!;
    const args = shared?.extra ?? [];
    // One that could fire more often, but does not, is told that it is the first time.
    if (firings <= 1) return { fire: kernel, args: numbered.has(fn) ? [0, ...args] : args };
    const next = module.global('i32', 0);
    const fire = module.func(`fire ${name}`, NOTHING, (b) => {
      b.getGlobal(next);
      for (const arg of args) b.i32(arg);
      b.call(kernel);
      b.getGlobal(next).i32(1).op('i32.add').setGlobal(next);
    });
    return { fire, args: [], next };
  });
  return module.func('run', NOTHING, (b) => {
    for (const { next } of actors) if (next) b.i32(0).setGlobal(next);
    printNodes(b, program.schedule, actors);
  });
}

function printNodes(b: Body, nodes: readonly ScheduleNode[], actors: readonly Actor[]): void {
  for (const node of nodes) {
    if (typeof node === 'number') {
      const { fire, args } = actors[node];
      for (const arg of args) b.i32(arg);
      b.call(fire);
    } else repeat(b, node[0], () => printNodes(b, node.slice(1) as ScheduleNode[], actors));
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
