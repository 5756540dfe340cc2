/**
 * What is accepted, in one table: beyond it a file or a plan is refused in one line, before anything of that size is
 * allocated. Process-wide, since limits belong to the machine that runs this and not to a model. docs/limits.md explains
 * each.
 */
import { type ErrorCode, TidemarkError } from './errors.ts';

const DEFAULTS = {
  /** Bytes of a model file, or of a file of weights beside it. Neither protobuf nor FlatBuffers address more. */
  fileBytes: 2 ** 31,
  /** Bytes of a plan file. */
  planFileBytes: 2 ** 28,
  /** Operators of a model. */
  nodes: 100_000,
  /** Tensors of a model: constants, and what operators write. */
  tensors: 1_000_000,
  /** Inputs, or outputs, of one operator. */
  operands: 65_536,
  /** Dimensions of a tensor. */
  rank: 8,
  /** Elements of a tensor of a file: what one of 2 GiB can hold, and typed arrays too. */
  tensorElements: 2 ** 31 - 1,
  /** Elements that constants computed on import have beyond those they are computed from, all together. */
  madeElements: 2 ** 26,
  /** Numbers of a list that is a parameter: axes, pads, a shape. */
  parameterNumbers: 65_536,
  /** Characters of a name. */
  nameCharacters: 65_536,
  /** Messages within messages of a file, and lists within lists of a plan. */
  nesting: 100,
  /** Bytes of one operator's inputs and outputs. The checker keeps eight bytes for every byte of an arena. */
  operatorBytes: 2 ** 30,
  /** Bytes of all memory banks of a plan together. */
  arenaBytes: 2 ** 31,
  /** Firings of a plan. */
  firings: 50_000_000,
  /** Rows and pixels of all tensors: beyond them a network is planned layer by layer. Tables have an entry for each. */
  streamedRows: 2 ** 21,
  streamedPixels: 2 ** 26,
};

export type Limits = { readonly [name in keyof typeof DEFAULTS]: number };
export type LimitName = keyof Limits;

const current = { ...DEFAULTS };

/** What holds now. */
export const limits: Limits = current;

export const LIMIT_NAMES = Object.keys(DEFAULTS) as readonly LimitName[];

/** Changes some of them, for all that is read and planned from now on. */
export function setLimits(change: Partial<Limits>): void {
  Object.assign(current, change);
}

/** As they were at the start. */
export function resetLimits(): void {
  Object.assign(current, DEFAULTS);
}

/** Refuses a size beyond its limit. `what` is what has it: "the graph has 200000 nodes". */
export function withinLimit(name: LimitName, size: number, code: ErrorCode, what: string): void {
  if (size <= limits[name]) return;
  throw new TidemarkError(code, `${what}; the limit is ${limits[name]} (--limit ${name}=N raises it)`);
}
