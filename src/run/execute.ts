/**
 * The reference executor: runs any plan in one ArrayBuffer of exactly `arenaBytes`. Plain on purpose; what is
 * faster is compared with this.
 */
import { TidemarkError } from '../errors.ts';
import {
  allocate,
  channelsOf,
  elementCount,
  type Graph,
  type Tensor,
  type TensorId,
  type TypedArray,
} from '../graph/graph.ts';
import type { Storage } from '../graph/storage.ts';
import { completeFold, completeKernel } from '../ops/evaluate.ts';
import type { Kernel, PixelRange, Scratch, View } from '../ops/operator.ts';
import { contiguousView, scratchOver } from '../ops/views.ts';
import { type Firings, firingsOf, type OperatorFirings, workspaceBytes } from '../plan/firing.ts';
import type { Plan } from '../plan/plan.ts';
import { plannedGraph } from '../plan/planned-graph.ts';
import { expandSchedule } from '../plan/schedule.ts';
import { PlanMemory, type StagingView } from './plan-memory.ts';

export interface ExecuteOptions {
  /** Byte that the arena is filled with first; results must not depend on it. */
  readonly paint?: number;
  /** Called now and then with the share of firings done, 0 to 1. */
  readonly onProgress?: (done: number) => void;
  /** Told of every run of pixels that an actor copies in from outside or lets out: traffic, counted as it happens. */
  readonly onCross?: (actor: number, lo: number, hi: number) => void;
}

export interface ExecuteResult {
  /** One a graph output, in the graph's layout (see Port.perm). */
  readonly outputs: readonly TypedArray[];
  /** The arena as the run left it. */
  readonly arena: Uint8Array;
}

/** Runs a plan. `inputs[i]` belongs to graph input i, in the graph's layout and element type. */
export function executePlan(
  graph: Graph,
  plan: Plan,
  inputs: readonly TypedArray[],
  options: ExecuteOptions = {},
): ExecuteResult {
  const resolved = plannedGraph(graph, plan);
  const machine = new Machine(resolved.graph, resolved.storage, plan, inputs, options.paint ?? 0);
  const sequence = expandSchedule(plan.schedule);
  const step = Math.max(1, Math.floor(sequence.length / 100));
  for (let i = 0; i < sequence.length; i++) {
    const { lo, hi } = machine.fire(sequence[i]);
    if (options.onCross && plan.actors[sequence[i]].kind !== 'operator') options.onCross(sequence[i], lo, hi);
    if (options.onProgress && i % step === 0) options.onProgress(i / sequence.length);
  }
  return { outputs: machine.outputs(), arena: machine.arena };
}

/**
 * Bytes of the arena that a run writes, measured: the arena is painted with two different bytes, and what is
 * still painted after both runs was not touched. Also proves that results do not hang on what memory held.
 */
export function measureTouchedBytes(
  first: ExecuteResult,
  firstPaint: number,
  second: ExecuteResult,
  secondPaint: number,
): number {
  let touched = 0;
  for (let i = 0; i < first.arena.length; i++) {
    if (first.arena[i] !== firstPaint || second.arena[i] !== secondPaint) touched++;
  }
  return touched;
}

interface ActorState {
  readonly firings: Firings;
  readonly kernel: Kernel;
  readonly inputs: readonly (View | undefined)[];
  readonly outputs: readonly View[];
  readonly scratch: Scratch;
  /** A fold's kernel takes the pixels it reads, any other the pixels it writes. */
  readonly fold: boolean;
  readonly staging?: Staging;
  next: number;
}

/** The kernel writes its run here; it is copied to its place when the kernel is done. */
interface Staging {
  readonly view: StagingView;
  readonly copy: Kernel;
}

class Machine {
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #memory: PlanMemory;
  readonly #actors: (ActorState | undefined)[];
  readonly #inputs: readonly TypedArray[];
  readonly #left: readonly TypedArray[];

  constructor(graph: Graph, storage: Storage, plan: Plan, inputs: readonly TypedArray[], paint: number) {
    this.#graph = graph;
    this.#plan = plan;
    this.#memory = new PlanMemory(graph, storage, plan, paint);
    this.#left = graph.outputs.map((p) =>
      allocate(graph.tensors[p.tensor].dtype, elementCount(graph.tensors[p.tensor].shape)),
    );
    this.#inputs = inputs;
    this.#actors = plan.actors.map(() => undefined);
  }

  /** Made when it first fires: one that never does may have no memory. */
  #prepare(actor: Plan['actors'][number]): ActorState {
    const firings = firingsOf(this.#graph, actor);
    const empty = scratchOver(new ArrayBuffer(0), 0, 0);
    const outside = (id: TensorId, data: TypedArray) =>
      contiguousView(data, channelsOf(this.#graph.tensors[id].shape));
    if (actor.kind === 'source') {
      const id = firings.outputs[0];
      const expected = elementCount(this.#graph.tensors[id].shape);
      const given = this.#inputs[actor.index];
      if (given?.length !== expected) {
        throw new TidemarkError(
          'input-invalid',
          `input ${actor.name}: expected ${expected} values, received ${given?.length ?? 'none'}`,
        );
      }
      return {
        firings,
        kernel: copier(this.#graph, id),
        inputs: [outside(id, given)],
        outputs: [this.#memory.view(id)],
        scratch: empty,
        fold: false,
        next: 0,
      };
    }
    if (actor.kind === 'sink') {
      const id = firings.inputs[0].tensor;
      return {
        firings,
        kernel: copier(this.#graph, id),
        inputs: [this.#memory.view(id)],
        outputs: [outside(id, this.#left[actor.index])],
        scratch: empty,
        fold: true,
        next: 0,
      };
    }
    const { context } = firings as OperatorFirings;
    const bytes = workspaceBytes(firings, actor.fold === true);
    const scratch = bytes > 0 ? this.#memory.scratch(actor.scratch!, bytes) : empty;
    return {
      firings,
      kernel: actor.fold ? completeFold(context) : completeKernel(context),
      inputs: context.inputs.map((t) =>
        t ? (t.constant ? outside(t.id, t.constant.load()) : this.#memory.view(t.id)) : undefined,
      ),
      outputs: context.outputs.map((t) => this.#memory.view(t.id)),
      scratch,
      fold: actor.fold === true,
      staging: actor.staged === undefined ? undefined : this.#staging(actor.staged, context.outputs[0]),
      next: 0,
    };
  }

  #staging(buffer: number, tensor: Tensor): Staging {
    return { view: this.#memory.staging(buffer, tensor), copy: copier(this.#graph, tensor.id) };
  }

  /** The pixels that were written; a fold's or a sink's that were read. */
  fire(index: number): PixelRange {
    const actor = (this.#actors[index] ??= this.#prepare(this.#plan.actors[index]));
    const f = actor.next++;
    const { lo, hi } = actor.fold ? actor.firings.reads(0, f) : actor.firings.writes(f);
    const { staging } = actor;
    if (staging) {
      staging.view.first = lo;
      actor.kernel(actor.inputs, [staging.view], lo, hi, actor.scratch);
      staging.copy([staging.view], actor.outputs, lo, hi, actor.scratch);
    } else {
      actor.kernel(actor.inputs, actor.outputs, lo, hi, actor.scratch);
    }
    return { lo, hi };
  }

  /** The arena as it is now. */
  get arena(): Uint8Array {
    return this.#memory.arena;
  }

  outputs(): TypedArray[] {
    return this.#graph.outputs.map((port, i) => {
      const tensor = this.#graph.tensors[port.tensor];
      if (tensor.constant) return tensor.constant.load().slice() as TypedArray;
      if (this.#plan.policy.output === 'streamed') return this.#left[i];
      const to = this.#left[i];
      const pixels = to.length / channelsOf(tensor.shape);
      const all = contiguousView(to, channelsOf(tensor.shape));
      copier(this.#graph, tensor.id)(
        [this.#memory.view(tensor.id)],
        [all],
        0,
        pixels,
        scratchOver(new ArrayBuffer(0), 0, 0),
      );
      return to;
    });
  }
}

/** Copies pixels of a tensor from one view to another. */
function copier(graph: Graph, id: TensorId): Kernel {
  const channels = channelsOf(graph.tensors[id].shape);
  return ([from], [to], lo, hi) => {
    for (let p = lo; p < hi; p++) {
      const i = from!.at(p);
      const o = to.at(p);
      for (let c = 0; c < channels; c++) to.data[o + c] = from!.data[i + c];
    }
  };
}
