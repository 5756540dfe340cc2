/**
 * The reference executor: runs any plan in one ArrayBuffer of exactly `arenaBytes`. Plain on purpose; what is
 * faster is compared with this.
 */
import { TidemarkError } from '../errors.ts';
import {
  allocate,
  channelsOf,
  elementBytes,
  elementCount,
  type Graph,
  type Tensor,
  type TensorId,
  type TypedArray,
} from '../graph/graph.ts';
import { elementAt, type Storage } from '../graph/storage.ts';
import { completeFold, completeKernel } from '../ops/evaluate.ts';
import type { Kernel, PixelRange, Scratch, View } from '../ops/operator.ts';
import { contiguousView, scratchOver } from '../ops/views.ts';
import { addressingOf } from '../plan/addressing.ts';
import { type Firings, firingsOf, type OperatorFirings, workspaceBytes } from '../plan/firing.ts';
import { banksOf, EXTERNAL, type Plan, type PlanBuffer } from '../plan/plan.ts';
import { plannedGraph } from '../plan/planned-graph.ts';
import { expandSchedule } from '../plan/schedule.ts';

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
  readonly arena: Uint8Array<ArrayBuffer>;
  readonly #graph: Graph;
  readonly #storage: Storage;
  readonly #plan: Plan;
  readonly #buffers = new Map<TensorId, { readonly memory: ArrayBuffer; readonly buffer: PlanBuffer }>();
  readonly #banks = new Map<string, ArrayBuffer>();
  readonly #actors: (ActorState | undefined)[];
  readonly #inputs: readonly TypedArray[];
  readonly #left: readonly TypedArray[];

  constructor(graph: Graph, storage: Storage, plan: Plan, inputs: readonly TypedArray[], paint: number) {
    this.#graph = graph;
    this.#storage = storage;
    this.#plan = plan;
    const banks = banksOf(plan);
    for (const { name, bytes } of banks) this.#banks.set(name, painted(bytes, paint));
    this.arena = new Uint8Array(this.#banks.get(banks[0].name)!);
    const outside = plan.buffers
      .filter((b) => b.bank === EXTERNAL)
      .reduce((n, b) => Math.max(n, b.offset + b.bytes), 0);
    this.#banks.set(EXTERNAL, new ArrayBuffer(outside));
    for (const buffer of plan.buffers) {
      if (buffer.tensor !== undefined)
        this.#buffers.set(buffer.tensor, { memory: this.#banks.get(buffer.bank)!, buffer });
    }
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
        outputs: [this.#view(id)],
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
        inputs: [this.#view(id)],
        outputs: [outside(id, this.#left[actor.index])],
        scratch: empty,
        fold: true,
        next: 0,
      };
    }
    const { context } = firings as OperatorFirings;
    const bytes = workspaceBytes(firings, actor.fold === true);
    const workspace = bytes > 0 ? this.#plan.buffers[actor.scratch!] : undefined;
    const scratch = workspace
      ? scratchOver(this.#banks.get(workspace.bank)!, workspace.offset, bytes)
      : empty;
    return {
      firings,
      kernel: actor.fold ? completeFold(context) : completeKernel(context),
      inputs: context.inputs.map((t) =>
        t ? (t.constant ? outside(t.id, t.constant.load()) : this.#view(t.id)) : undefined,
      ),
      outputs: context.outputs.map((t) => this.#view(t.id)),
      scratch,
      fold: actor.fold === true,
      staging: actor.staged === undefined ? undefined : this.#staging(actor.staged, context.outputs[0]),
      next: 0,
    };
  }

  #staging(buffer: number, { id, dtype, shape }: Tensor): Staging {
    const { bank, offset } = this.#plan.buffers[buffer];
    const base = offset / elementBytes({ dtype });
    const view = new StagingView(typedOver(dtype, this.#banks.get(bank)!), base, channelsOf(shape));
    return { view, copy: copier(this.#graph, id) };
  }

  /** A tensor where the plan put it. */
  #view(id: TensorId): View {
    const tensor = this.#graph.tensors[id];
    const place = this.#storage.places[id];
    const { memory, buffer } = this.#buffers.get(place.root)!;
    const data = typedOver(tensor.dtype, memory);
    const { offset, pixelStride, rows } = place;
    const size = elementBytes(tensor);
    const start = buffer.offset / size;
    const element = rows
      ? (pixel: number) => elementAt(place, pixel)
      : (pixel: number) => offset + pixel * pixelStride;
    if (buffer.ring === undefined && buffer.pieces === undefined) {
      const contiguous = !rows && pixelStride === channelsOf(tensor.shape);
      return { data, contiguous, at: (pixel) => start + element(pixel) };
    }
    const root = this.#graph.tensors[place.root];
    const { stretch, starts } = addressingOf(buffer, elementCount(root.shape));
    if (!starts) return { data, contiguous: false, at: (pixel) => start + (element(pixel) % stretch) };
    const at = (pixel: number) => {
      const e = element(pixel);
      const piece = Math.floor(e / stretch);
      return start + starts[piece] / size + (e - piece * stretch);
    };
    return { data, contiguous: false, at };
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

  outputs(): TypedArray[] {
    return this.#graph.outputs.map((port, i) => {
      const tensor = this.#graph.tensors[port.tensor];
      if (tensor.constant) return tensor.constant.load().slice() as TypedArray;
      if (this.#plan.policy.output === 'streamed') return this.#left[i];
      const to = this.#left[i];
      const pixels = to.length / channelsOf(tensor.shape);
      const all = contiguousView(to, channelsOf(tensor.shape));
      copier(this.#graph, tensor.id)(
        [this.#view(tensor.id)],
        [all],
        0,
        pixels,
        scratchOver(new ArrayBuffer(0), 0, 0),
      );
      return to;
    });
  }
}

/** Memory of a bank; results must not depend on what it holds at first. */
function painted(bytes: number, paint: number): ArrayBuffer {
  const memory = new ArrayBuffer(bytes);
  new Uint8Array(memory).fill(paint);
  return memory;
}

/** The run that is being staged, side by side; `first` is its first pixel. */
class StagingView implements View {
  readonly data: TypedArray;
  readonly contiguous = true;
  readonly #base: number;
  readonly #channels: number;
  first = 0;

  constructor(data: TypedArray, base: number, channels: number) {
    this.data = data;
    this.#base = base;
    this.#channels = channels;
  }

  at(pixel: number): number {
    return this.#base + (pixel - this.first) * this.#channels;
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

function typedOver(dtype: Graph['tensors'][number]['dtype'], memory: ArrayBuffer): TypedArray {
  switch (dtype) {
    case 'f32':
      return new Float32Array(memory, 0, memory.byteLength >> 2);
    case 'i32':
      return new Int32Array(memory, 0, memory.byteLength >> 2);
    case 'i16':
      return new Int16Array(memory, 0, memory.byteLength >> 1);
    case 'i8':
      return new Int8Array(memory);
    default:
      return new Uint8Array(memory);
  }
}
