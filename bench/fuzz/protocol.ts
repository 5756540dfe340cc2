/** What the watcher and its worker say to each other, a line each. */
import type { Group } from '../../test/fuzz/cases.ts';

export type Job =
  | { readonly group: Group; readonly seeds: readonly number[] }
  | { readonly from: number; readonly to: number };

export interface Done {
  readonly seed: number;
  /** What was done to the file. */
  readonly kind: string;
  readonly outcome: string;
  /** What the comparison with ONNX Runtime said. */
  readonly compared?: string;
  readonly finding?: string;
  /** Processor time. */
  readonly seconds: number;
  /** A second word on a case that was counted before. */
  readonly again?: boolean;
}

export type Report =
  | { readonly start: number; readonly phase?: string }
  | { readonly phase: string; readonly kind?: string }
  | { readonly done: Done }
  /** Runs of networks by technique and backend. */
  | { readonly ran: Readonly<Record<string, number>> }
  | { readonly idle: true };
