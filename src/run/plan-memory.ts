/** The memory that a plan runs in, as a kernel sees it: banks, and tensors, rings, staged runs and working memory in them. */
import {
  channelsOf,
  elementBytes,
  elementCount,
  type Graph,
  type Tensor,
  type TensorId,
  type TypedArray,
} from '../graph/graph.ts';
import { elementAt, type Storage } from '../graph/storage.ts';
import type { Scratch, View } from '../ops/operator.ts';
import { scratchOver } from '../ops/views.ts';
import { addressingOf } from '../plan/addressing.ts';
import { banksOf, EXTERNAL, type Plan, type PlanBuffer } from '../plan/plan.ts';

export class PlanMemory {
  readonly arena: Uint8Array<ArrayBuffer>;
  readonly #graph: Graph;
  readonly #storage: Storage;
  readonly #plan: Plan;
  readonly #buffers = new Map<TensorId, { readonly memory: ArrayBuffer; readonly buffer: PlanBuffer }>();
  readonly #banks = new Map<string, ArrayBuffer>();

  constructor(graph: Graph, storage: Storage, plan: Plan, paint: number) {
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
  }

  /** A tensor where the plan put it. */
  view(id: TensorId): View {
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

  /** The first bytes of a buffer, as working memory. */
  scratch(buffer: number, bytes: number): Scratch {
    const { bank, offset } = this.#plan.buffers[buffer];
    return scratchOver(this.#banks.get(bank)!, offset, bytes);
  }

  /** A buffer in which a tensor's runs are staged. */
  staging(buffer: number, { dtype, shape }: Tensor): StagingView {
    const { bank, offset } = this.#plan.buffers[buffer];
    const base = offset / elementBytes({ dtype });
    return new StagingView(typedOver(dtype, this.#banks.get(bank)!), base, channelsOf(shape));
  }
}

/** Memory of a bank; results must not depend on what it holds at first. */
function painted(bytes: number, paint: number): ArrayBuffer {
  const memory = new ArrayBuffer(bytes);
  new Uint8Array(memory).fill(paint);
  return memory;
}

/** The run that is being staged, side by side; `first` is its first pixel. */
export class StagingView implements View {
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
