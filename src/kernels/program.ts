/**
 * A whole model as functions of the loop-nest language: one for each actor of a plan, the helpers they call, the
 * constants they read, and the order they fire in. It is what the printers take.
 */
import type { DType } from '../graph/graph.ts';
import type { ScheduleNode } from '../plan/plan.ts';
import type { Fn } from './ir.ts';

/** Constant bytes: packed weights, tables. */
export interface DataObject {
  readonly name: string;
  /** Empty where nothing reads it any more. */
  readonly bytes: Uint8Array;
  /** Alignment that accesses want, and the type to print it as. */
  readonly align: number;
  readonly cell: 'i8' | 'u8' | 'i16' | 'i32' | 'f32';
}

export interface ProgramActor {
  /** For people. */
  readonly name: string;
  /** Its function. It takes the firing's number (0, 1, ...) as an `index` where it fires more than once. */
  readonly fn: string;
  /** Firings in one run. */
  readonly firings: number;
}

export interface ProgramBank {
  readonly name: string;
  readonly bytes: number;
}

/** A graph input or output as the program's caller sees it: contiguous, in the graph's layout (channels last). */
export interface ProgramPort {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
  /**
   * 'arena': stands in the arena at byte `offset` when the run begins (inputs) or ends (outputs). An input's source
   * actor has been given a `transfer` all the same, so that a caller may hand over a pointer. 'streamed': only
   * transfers move it. 'outside': kernels read it where the caller has it. 'constant': it lies in `data`.
   */
  readonly where: 'arena' | 'streamed' | 'outside' | 'constant';
  /** Byte of the arena, or index of the data object. */
  readonly offset: number;
  /** Which memory bank `offset` is in, where it is not the arena itself. */
  readonly bank?: number;
}

export interface Program {
  readonly name: string;
  readonly arenaBytes: number;
  /** Memory banks beside the arena, which is bank 0: bank k is `banks[k - 1]`. Empty where the plan has one. */
  readonly banks: readonly ProgramBank[];
  /** Least alignment of the arena. */
  readonly arenaAlign: number;
  readonly data: readonly DataObject[];
  /** A function comes after those that it calls. */
  readonly functions: readonly Fn[];
  readonly actors: readonly ProgramActor[];
  /** Of indices into `actors`, loop-compressed (src/plan/plan.ts). */
  readonly schedule: readonly ScheduleNode[];
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramPort[];
}
