/**
 * A program as one WebAssembly module: functions of its kernels, `run`, one memory with weights and the arena at
 * fixed places. It needs nothing from its host but the two functions of streamed ports, where there are any.
 */
import { TidemarkError } from '../../errors.ts';
import type { Program } from '../../kernels/program.ts';
import { DESCRIPTION_SECTION, type Description, describe, type FilePorts } from './description.ts';
import type { Func } from './encode/body.ts';
import { ModuleBuilder } from './encode/module.ts';
import { dataImage, type Layout, layOut, PAGE_BYTES, regionBase } from './layout.ts';
import type { Surroundings } from './print/context.ts';
import { printFunction } from './print/functions.ts';
import { printSchedule } from './schedule.ts';
import { shareFunctions } from './share.ts';

export interface EmitOptions {
  /** 'inside' the module as a data segment, or 'beside' it in a file that the loader puts in its place. */
  readonly weights?: 'inside' | 'beside';
  /** Names of functions, for stack traces. */
  readonly names?: boolean;
  /** Relaxed SIMD: multiply-adds that round once. Results then depend on the machine. */
  readonly relaxed?: boolean;
  /** The graph's ports, so that the loader takes and gives values in the file's order of axes. */
  readonly ports?: FilePorts;
}

export interface Emitted {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** What stands in memory from `layout.dataStart` on, where weights lie beside the module. */
  readonly weights?: Uint8Array<ArrayBuffer>;
  readonly layout: Layout;
  readonly description: Description;
  /** Bytes of each function's code. */
  readonly functions: readonly { readonly name: string; readonly bytes: number }[];
}

/** The most that a 32-bit memory can have. */
const MOST_PAGES = 65536;

export function emitWasm(program: Program, options: EmitOptions = {}): Emitted {
  const layout = layOut(program);
  if (layout.pages > MOST_PAGES) {
    throw new TidemarkError(
      'shape-too-large',
      `${program.name}: weights, arena and inputs take ${layout.totalBytes} bytes, a WebAssembly memory holds ${MOST_PAGES * PAGE_BYTES}`,
    );
  }
  const module = new ModuleBuilder();
  const streams = (all: Program['inputs']) => all.some((p) => p.where === 'streamed');
  const transfer = { params: ['i32', 'i32', 'i32', 'i32'], results: [] } as const;
  const functions = new Map<string, Func>();
  const around: Surroundings = {
    base: (region) => regionBase(layout, region),
    functions,
    input: streams(program.inputs) ? module.import('host', 'input', transfer) : undefined,
    output: streams(program.outputs) ? module.import('host', 'output', transfer) : undefined,
    isStreamed: (direction, port) =>
      (direction === 'in' ? program.inputs : program.outputs)[port].where === 'streamed',
    fuse: options.relaxed === true,
  };
  module.memory(layout.pages, layout.pages);
  module.exportMemory('memory');
  const fired = new Set(program.actors.map((a) => a.fn));
  const shared = shareFunctions(program.functions, fired, around.base);
  for (const fn of shared.functions) functions.set(fn.name, printFunction(module, fn, around));
  module.exportFunc('run', printSchedule(module, program, functions, shared.calls));
  const image = dataImage(program, layout);
  const beside = options.weights === 'beside';
  if (!beside && image.length > 0) module.data(layout.dataStart, image);
  const description = describe(program, layout, beside, options.ports);
  module.custom(DESCRIPTION_SECTION, new TextEncoder().encode(JSON.stringify(description)));
  return {
    wasm: module.encode({ names: options.names }),
    ...(beside ? { weights: image } : {}),
    layout,
    description,
    functions: module.functionSizes(),
  };
}
