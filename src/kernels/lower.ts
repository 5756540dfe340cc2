/** A plan as a program: each actor's kernel written for where the plan put its tensors. */
import { TidemarkError } from '../errors.ts';
import {
  elementBytes,
  elementCount,
  type Graph,
  type Port,
  pixelsOf,
  type TensorId,
  tensorBytes,
} from '../graph/graph.ts';
import type { Place as StoragePlace } from '../graph/storage.ts';
import { addressingOf } from '../plan/addressing.ts';
import { firingsOf, type OperatorFirings, workspaceBytes } from '../plan/firing.ts';
import {
  banksOf,
  EXTERNAL,
  type Plan,
  type PlanActor,
  type PlanBuffer,
  type ScheduleNode,
} from '../plan/plan.ts';
import { plannedGraph } from '../plan/planned-graph.ts';
import { Builder, compareIndex, index, least, minus, param, plus, times } from './builder.ts';
import { writeCopy } from './elements.ts';
import { writeEpilogue } from './epilogue.ts';
import { ARENA_REGION, bankOf, bankRegion, type Expr, type Fn, type Region } from './ir.ts';
import type { KernelWriter, Run, Task } from './kernel.ts';
import type { Machine } from './machine.ts';
import { Module } from './module.ts';
import type { Program, ProgramActor, ProgramPort } from './program.ts';
import { kernelsOf } from './registry.ts';
import { byteOf, cellOf, isContiguous, type Site, wholeSite } from './site.ts';
import { writeTransfer } from './transfer.ts';
import { usedData } from './used-data.ts';

export interface LowerOptions {
  /** Called with the share of actors done, 0 to 1. */
  readonly onProgress?: (done: number) => void;
}

/** The program of a plan for a machine. Throws `operator-unsupported` for what has no kernel yet, by name. */
export function lowerPlan(graph: Graph, plan: Plan, machine: Machine, options: LowerOptions = {}): Program {
  const resolved = plannedGraph(graph, plan);
  const lowering = new Lowering(resolved.graph, resolved.storage.places, plan, machine);
  const fired = firedTimes(plan.schedule, plan.actors.length);
  const actors: (ProgramActor | undefined)[] = plan.actors.map((actor, i) => {
    options.onProgress?.(i / plan.actors.length);
    return fired[i] > 0 ? lowering.actor(actor, i, fired[i]) : undefined;
  });
  const outputs = resolved.graph.outputs.map((port, i) => lowering.output(port, i));
  const numbers: (number | undefined)[] = [];
  let count = 0;
  for (const actor of actors) numbers.push(actor ? count++ : undefined);
  const used = usedData(lowering.module.functions);
  for (const port of outputs) if (port.where === 'constant') used.add(port.offset);
  return {
    name: graph.name,
    arenaBytes: plan.arenaBytes,
    banks: banksOf(plan).slice(1),
    arenaAlign: 16,
    data: lowering.module.data.map((d, i) => (used.has(i) ? d : { ...d, bytes: new Uint8Array(0) })),
    functions: lowering.module.functions,
    actors: [...actors.filter((a) => a !== undefined), ...lowering.last],
    schedule: [...renumbered(plan.schedule, numbers), ...lowering.last.map((_, i) => count + i)],
    inputs: resolved.graph.inputs.map((port, i) => lowering.input(port, i)),
    outputs,
  };
}

/** Where a plan puts each tensor of the graph that it runs, as kernels see it. */
export function planSites(graph: Graph, plan: Plan, machine: Machine): (id: TensorId) => Site {
  const resolved = plannedGraph(graph, plan);
  const lowering = new Lowering(resolved.graph, resolved.storage.places, plan, machine);
  return (id) => lowering.site(id);
}

/** How often each actor fires in one run. */
function firedTimes(schedule: readonly ScheduleNode[], actors: number): number[] {
  const times: number[] = new Array(actors).fill(0);
  const visit = (nodes: readonly ScheduleNode[], factor: number): void => {
    for (const node of nodes) {
      if (typeof node === 'number') times[node] += factor;
      else visit(node.slice(1) as ScheduleNode[], factor * node[0]);
    }
  };
  visit(schedule, 1);
  return times;
}

/** The schedule with actors renumbered, and without those that need no code. */
function renumbered(
  schedule: readonly ScheduleNode[],
  numbers: readonly (number | undefined)[],
): ScheduleNode[] {
  return schedule.flatMap((node): ScheduleNode[] => {
    if (typeof node === 'number') return numbers[node] === undefined ? [] : [numbers[node]];
    const body = renumbered(node.slice(1) as ScheduleNode[], numbers);
    return body.length === 0 ? [] : [[node[0], ...body]];
  });
}

class Lowering {
  readonly module = new Module();
  /** Actors that fire once, after all others. */
  readonly last: ProgramActor[] = [];
  readonly #graph: Graph;
  readonly #places: readonly StoragePlace[];
  readonly #plan: Plan;
  readonly #machine: Machine;
  readonly #buffers = new Map<TensorId, PlanBuffer>();
  readonly #sites = new Map<TensorId, Site>();

  constructor(graph: Graph, places: readonly StoragePlace[], plan: Plan, machine: Machine) {
    this.#graph = graph;
    this.#places = places;
    this.#plan = plan;
    this.#machine = machine;
    for (const buffer of plan.buffers)
      if (buffer.tensor !== undefined) this.#buffers.set(buffer.tensor, buffer);
  }

  /** The kernel of an actor; undefined where nothing is to be done. */
  actor(actor: PlanActor, number: number, fired: number): ProgramActor | undefined {
    const firings = firingsOf(this.#graph, actor);
    const written = actor.kind === 'sink' ? [firings.inputs[0].tensor] : firings.outputs;
    if (written.every((id) => elementCount(this.#graph.tensors[id].shape) === 0)) return undefined;
    const b = new Builder();
    const nth: Expr = firings.count > 1 ? param('f', 'index') : index(0);
    const firing = actor.reverse ? b.let('back', minus(firings.count - 1, nth)) : nth;
    const fn = `fire_${number}`;
    const finish = (): ProgramActor => {
      const params: Fn['params'] = firings.count > 1 ? [{ name: 'f', type: 'index' }] : [];
      this.module.functions.push(b.function(fn, params));
      return { name: actor.name, fn, firings: fired };
    };
    if (actor.kind !== 'operator') {
      const id = actor.kind === 'source' ? firings.outputs[0] : firings.inputs[0].tensor;
      const site = this.site(id);
      if (actor.kind === 'source' && site.region.kind === 'input') return undefined;
      const run = runOf(b, firing, actor.run, site.pixels);
      writeTransfer(b, actor.kind === 'source' ? 'in' : 'out', actor.index, site, run);
      return finish();
    }
    const { context, definition } = firings as OperatorFirings;
    const fold = actor.fold === true;
    const total = pixelsOf((fold ? context.inputs[0]! : context.outputs[0]).shape);
    const length = fold || definition.access === 'pixel' ? actor.run : Math.max(1, total);
    const scratch =
      workspaceBytes(firings, fold) > 0 ? this.#whereOf(this.#plan.buffers[actor.scratch!]) : undefined;
    const task: Task = {
      ctx: context,
      machine: this.#machine,
      module: this.module,
      b,
      inputs: context.inputs.map((t) => (t && !t.constant ? this.site(t.id) : undefined)),
      outputs: context.outputs.map((t) => this.site(t.id)),
      run: runOf(b, firing, length, total),
      scratch,
    };
    const staging = actor.staged === undefined ? undefined : this.#staging(actor.staged, task);
    const kernels = kernelsOf(context);
    const write = fold ? kernels.fold : kernels.write;
    if (!write)
      throw new TidemarkError(
        'operator-unsupported',
        `${actor.name}: ${context.op.kind} cannot fold when emitted`,
      );
    this.#complete(staging ? { ...task, outputs: [staging] } : task, write, kernels.fused === true, fold);
    if (staging) writeCopy(task, staging, task.outputs[0]);
    return finish();
  }

  #complete(task: Task, write: KernelWriter, fused: boolean, fold: boolean): void {
    write(task);
    if (!fused) this.#epilogue(task, fold);
  }

  /** Where a firing's run is written before it is copied to its place. */
  #staging(buffer: number, { ctx, run }: Task): Site {
    const { region, offset } = this.#whereOf(this.#plan.buffers[buffer]);
    const site = wholeSite(ctx.outputs[0], region, offset);
    return { ...site, first: run.lo };
  }

  /** What the operator's kernel leaves to a pass of its own. */
  #epilogue(task: Task, fold: boolean): void {
    if (!task.ctx.op.epilogue?.length) return;
    if (!fold) {
      writeEpilogue(task, task.run);
      return;
    }
    const { b, run } = task;
    const all = task.outputs[0].pixels;
    b.if(compareIndex('eq', run.hi, run.total), () =>
      writeEpilogue(task, { lo: index(0), hi: index(all), length: all, total: all, even: true }),
    );
  }

  input(port: Port, i: number): ProgramPort {
    const buffer = this.#buffers.get(this.#places[port.tensor].root);
    if (!buffer) return this.#port(port, 'streamed', 0);
    if (buffer.bank === EXTERNAL) return this.#port(port, 'outside', i);
    if (!isContiguous(this.site(port.tensor))) return this.#port(port, 'streamed', 0);
    return this.#plan.policy.input === 'streamed'
      ? this.#port(port, 'streamed', 0)
      : this.#port(port, 'arena', byteOf(this.site(port.tensor), 0), this.site(port.tensor).region);
  }

  output(port: Port, i: number): ProgramPort {
    const tensor = this.#graph.tensors[port.tensor];
    if (tensor.constant) {
      const region = this.module.constant(tensor.name, tensor.constant.load());
      return this.#port(port, 'constant', region.kind === 'data' ? region.index : 0);
    }
    if (this.#plan.policy.output === 'streamed') return this.#port(port, 'streamed', 0);
    const site = this.site(port.tensor);
    if (site.region.kind === 'input') {
      throw new TidemarkError(
        'operator-unsupported',
        `output ${port.name} is an input outside the arena, which cannot be emitted; use --input reuse`,
      );
    }
    if (isContiguous(site)) return this.#port(port, 'arena', byteOf(site, 0), site.region);
    // What lies in pieces leaves by a last actor of its own.
    const b = new Builder();
    const all = site.pixels;
    const run = { lo: index(0), hi: index(all), length: all, total: all, even: true };
    writeTransfer(b, 'out', i, site, run);
    const fn = `leave_${i}`;
    this.module.functions.push(b.function(fn, []));
    this.last.push({ name: port.name, fn, firings: 1 });
    return this.#port(port, 'streamed', 0);
  }

  #port(port: Port, where: ProgramPort['where'], offset: number, region = ARENA_REGION): ProgramPort {
    const bank = bankOf(region);
    const tensor = this.#graph.tensors[port.tensor];
    const { name } = port;
    return {
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      bytes: tensorBytes(tensor),
      where,
      offset,
      ...(bank ? { bank } : {}),
    };
  }

  /** Where the plan put a tensor. */
  site(id: TensorId): Site {
    const known = this.#sites.get(id);
    if (known) return known;
    const tensor = this.#graph.tensors[id];
    const place = this.#places[id];
    const buffer = this.#buffers.get(place.root);
    if (!buffer) throw new TidemarkError('plan-invalid', `the plan has no buffer for ${tensor.name}`);
    const cellBytes = elementBytes(tensor);
    const outside = buffer.bank === EXTERNAL;
    const port = this.#graph.inputs.findIndex((p) => this.#places[p.tensor].root === place.root);
    const region: Region = outside ? { kind: 'input', index: port } : this.#whereOf(buffer).region;
    const site: Site = {
      region,
      cell: cellOf(tensor),
      cellBytes,
      channels: tensor.shape.length === 0 ? 1 : tensor.shape[tensor.shape.length - 1],
      pixels: pixelsOf(tensor.shape),
      base: outside ? 0 : buffer.offset,
      offset: place.offset * cellBytes,
      stride: place.pixelStride * cellBytes,
      ...(place.rows ? { rows: { pixels: place.rows.pixels, stride: place.rows.stride * cellBytes } } : {}),
      ...(buffer.ring === undefined ? {} : { ring: buffer.ring * cellBytes }),
      ...(buffer.pieces ? { pieces: this.#pieces(buffer, place.root) } : {}),
    };
    this.#sites.set(id, site);
    return site;
  }

  #whereOf({ bank, offset }: PlanBuffer): { readonly region: Region; readonly offset: number } {
    const index = banksOf(this.#plan).findIndex((b) => b.name === bank);
    if (index < 0) throw new TidemarkError('plan-invalid', `the plan has no bank ${bank}`);
    return { region: bankRegion(index), offset };
  }

  #pieces(buffer: PlanBuffer, root: TensorId): Site['pieces'] {
    const tensor = this.#graph.tensors[root];
    const { stretch, starts } = addressingOf(buffer, elementCount(tensor.shape));
    const table = this.module.constant(`${buffer.name} pieces`, starts!);
    return { bytes: stretch * elementBytes(tensor), starts: starts!, table };
  }
}

/** The pixels of a firing. */
function runOf(b: Builder, firing: Expr, length: number, total: number): Run {
  if (length >= total) return { lo: index(0), hi: index(total), length: total, total, even: true };
  const even = total % length === 0;
  const lo = b.let('lo', times(firing, length));
  const end = plus(lo, length);
  return { lo, hi: even ? end : b.let('hi', least(end, total)), length, total, even };
}
