/** Runs a plan as the WebAssembly module that would be deployed, in this program. */

import type { PortDescription } from '../emit/wasm/description.ts';
import { type EmitOptions, type Emitted, emitWasm } from '../emit/wasm/emit.ts';
import { hasRelaxedSimd } from '../emit/wasm/relaxed.ts';
import { TidemarkError } from '../errors.ts';
import { allocate, type DType, elementCount, type Graph, type TypedArray } from '../graph/graph.ts';
import { lowerPlan } from '../kernels/lower.ts';
import { WASM_SIMD } from '../kernels/machine.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend, Prepared } from './backend.ts';
import type { ExecuteOptions, ExecuteResult } from './execute.ts';

export const wasmBackend: Backend = {
  name: 'wasm',
  prepare(graph, plan, onProgress) {
    const emitted = emitPlan(graph, plan, {}, onProgress);
    return new WasmModel(new WebAssembly.Module(emitted.wasm), emitted);
  },
};

/** Multiply-adds of floats that round once, and sums in any order: faster, and the last bits differ. */
export const relaxedWasmBackend: Backend = {
  name: 'wasm-relaxed',
  prepare(graph, plan, onProgress) {
    if (!hasRelaxedSimd()) {
      throw new TidemarkError(
        'runtime-missing',
        'this Node has no relaxed SIMD: expected Node 22 or newer, or node --experimental-wasm-relaxed-simd; use --backend wasm',
      );
    }
    const emitted = emitPlan(graph, plan, { relaxed: true }, onProgress);
    return new WasmModel(new WebAssembly.Module(emitted.wasm), emitted);
  },
};

/** A plan as a module. */
export function emitPlan(
  graph: Graph,
  plan: Plan,
  options: EmitOptions = {},
  onProgress?: (done: number) => void,
): Emitted {
  const machine = options.relaxed ? { ...WASM_SIMD, reorders: true } : WASM_SIMD;
  const program = lowerPlan(graph, plan, machine, { onProgress });
  return emitWasm(program, { ports: graph, ...options });
}

/** Moves values in and out of one instance of a module. */
export class WasmModel implements Prepared {
  readonly #about: Emitted['description'];
  readonly #memory: ArrayBuffer;
  readonly #run: () => void;
  #given: readonly TypedArray[] = [];
  #left: TypedArray[] = [];

  constructor(
    module: WebAssembly.Module,
    { description, weights }: Pick<Emitted, 'description' | 'weights'>,
  ) {
    this.#about = description;
    const host = {
      input: (port: number, from: number, address: number, bytes: number) =>
        this.#bytes(address, bytes).set(bytesOf(this.#given[port]).subarray(from, from + bytes)),
      output: (port: number, from: number, address: number, bytes: number) =>
        bytesOf(this.#left[port]).set(this.#bytes(address, bytes), from),
    };
    const { exports } = new WebAssembly.Instance(module, { host });
    this.#memory = (exports.memory as WebAssembly.Memory).buffer;
    this.#run = exports.run as () => void;
    if (weights) this.#bytes(description.weights!.address, weights.length).set(weights);
  }

  #bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory, address, length);
  }

  /** Puts inputs in their places. */
  put(inputs: readonly TypedArray[]): void {
    this.#given = inputs;
    for (const [i, port] of this.#about.inputs.entries()) {
      const expected = elementCount(port.shape);
      if (inputs[i]?.length !== expected) {
        throw new TidemarkError(
          'input-invalid',
          `input ${port.name}: expected ${expected} values, received ${inputs[i]?.length ?? 'none'}`,
        );
      }
      if (port.where === 'memory') this.#bytes(port.address, inputs[i].byteLength).set(bytesOf(inputs[i]));
    }
    this.#left = this.#about.outputs.map(emptyFor);
  }

  /** Runs once on what stands in memory. */
  fire(): void {
    this.#run();
  }

  time(inputs: readonly TypedArray[], times: number): number[] {
    return Array.from({ length: times }, () => {
      const started = performance.now();
      this.put(inputs);
      this.#run();
      this.outputs();
      return performance.now() - started;
    });
  }

  run(inputs: readonly TypedArray[], { paint = 0 }: ExecuteOptions = {}): ExecuteResult {
    const { arena, banks = [] } = this.#about;
    for (const { address, bytes } of banks) this.#bytes(address, bytes).fill(paint);
    const bytes = this.#bytes(arena.address, arena.bytes).fill(paint);
    this.put(inputs);
    this.#run();
    return { outputs: this.outputs(), arena: bytes.slice() };
  }

  outputs(): TypedArray[] {
    return this.#about.outputs.map((port, i) => {
      const to = this.#left[i];
      if (port.where === 'memory') bytesOf(to).set(this.#bytes(port.address, to.byteLength));
      return to;
    });
  }
}

const emptyFor = (port: PortDescription) => allocate(port.dtype as DType, elementCount(port.shape));

function bytesOf(values: TypedArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
