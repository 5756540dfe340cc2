/**
 * What a kernel's writer gets and gives. Each file in ops/ exports writers for operator kinds; registry.ts lists
 * them. A writer fills a builder with what one firing does; where tensors lie, and which pixels a firing writes, is
 * in the task.
 */
import type { OpContext } from '../ops/operator.ts';
import type { Builder } from './builder.ts';
import type { Expr, Region } from './ir.ts';
import type { Machine } from './machine.ts';
import type { Module } from './module.ts';
import type { Site } from './site.ts';

/** The pixels of one firing: of the output, or of input 0 for a fold. */
export interface Run {
  readonly lo: Expr;
  readonly hi: Expr;
  /** Pixels of a firing; the last one may have fewer. */
  readonly length: number;
  /** Pixels in all. */
  readonly total: number;
  /** True where all firings have `length` pixels. */
  readonly even: boolean;
}

export interface Task {
  readonly ctx: OpContext;
  readonly machine: Machine;
  readonly module: Module;
  readonly b: Builder;
  /** Constants are sites in the data region, made when a writer asks for them (`constantSite`). */
  readonly inputs: readonly (Site | undefined)[];
  readonly outputs: readonly Site[];
  readonly run: Run;
  /** Where working memory or a fold's state lies. */
  readonly scratch?: { readonly region: Region; readonly offset: number };
}

/** Writes one firing. Throws `target-unsupported` where it has no form for the task's types or attributes. */
export type KernelWriter = (task: Task) => void;

export interface OperatorKernels {
  readonly kind: string;
  readonly write: KernelWriter;
  /** True where the writers apply the epilogue to what they store; else a pass of its own follows. */
  readonly fused?: boolean;
  /** Takes the run from input 0, with the state in scratch. */
  readonly fold?: KernelWriter;
}
