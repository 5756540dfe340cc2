/**
 * What the rest of Tidemark may ask of an operator. Each operator is one file in this folder that exports one
 * `OperatorDef`; registry.ts lists them. A definition is a plain object: it holds no state, and nothing in it
 * knows where tensors lie.
 */
import type { Attributes, Dialect, ElementType, Operator, Tensor, TypedArray } from '../graph/graph.ts';

/** An operator with the tensors it touches. An absent optional input is undefined. */
export interface OpContext<A extends Attributes = Attributes> {
  readonly op: Operator<A>;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  readonly dialect: Dialect;
}

/** Half-open interval of pixels of a tensor, in raster order. Empty when hi <= lo. */
export interface PixelRange {
  readonly lo: number;
  readonly hi: number;
}

/** A tensor as a kernel sees it: where each pixel's channels start in `data`. */
export interface View {
  readonly data: TypedArray;
  /** Index in `data` of channel 0 of the given pixel; the channels of a pixel are always side by side. */
  at(pixel: number): number;
  /**
   * True when all pixels lie side by side from at(0) on: then element e is data[at(0) + e]. Always so for
   * constants and for every tensor of an operator whose access is 'whole'.
   */
  readonly contiguous: boolean;
}

/** Working memory of an operator: a buffer of the plan, seen under each type. Aligned to 4. */
export interface Scratch {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
}

/**
 * Writes pixels [lo, hi) of the output. Absent inputs are undefined. The kernel writes those output pixels and
 * its scratch, reads what `reads` names, and touches nothing else.
 */
export type Kernel = (
  inputs: readonly (View | undefined)[],
  outputs: readonly View[],
  lo: number,
  hi: number,
  scratch: Scratch,
) => void;

/** An operator that can consume its first input run by run and write its output at the end. */
export interface Fold<A extends Attributes = Attributes> {
  /** Bytes kept between firings; Infinity where this one cannot fold. */
  stateBytes(ctx: OpContext<A>): number;
  /** Consumes pixels [lo, hi) of input 0: lo = 0 starts, hi = all pixels writes the output. */
  step(ctx: OpContext<A>): Kernel;
}

/** Tensor `child` is part of tensor `parent`: child pixel p starts at parent element offset + p * pixelStride. */
export interface Alias {
  readonly child: number;
  readonly parent: number;
  /** Elements from the parent's first. */
  readonly offset: number;
  /** Elements of the parent between the starts of consecutive child pixels. */
  readonly pixelStride: number;
  /** Where rows of the child lie further apart than their pixels reach: columns of a wider parent. */
  readonly rows?: RowStep;
}

/** Pixels p and p + `pixels` lie `stride` elements apart; within a row of so many pixels, the pixel stride holds. */
export interface RowStep {
  readonly pixels: number;
  readonly stride: number;
}

export interface OutputType extends ElementType {
  readonly shape: readonly number[];
}

export interface OperatorDef<A extends Attributes = Attributes> {
  readonly kind: string;
  /**
   * Shapes and types of the outputs. Throws `TidemarkError` (src/errors.ts) when inputs and attributes do not
   * fit together. `given` is the output type the file declares, where it does (TFLite, quantised ONNX).
   */
  infer(
    inputs: readonly (Tensor | undefined)[],
    attrs: A,
    given?: readonly OutputType[],
  ): readonly OutputType[];
  /**
   * 'pixel': any run of output pixels can be computed by itself, tensors may lie anywhere `View.at` says, and
   * there is one output. 'whole': fires once, all tensors contiguous.
   */
  readonly access: 'pixel' | 'whole';
  /** Inputs from this index on (weights) must be contiguous although the access is 'pixel'. Left out: none. */
  readonly contiguousFrom?: number;
  /**
   * Pixels of input `index` (not a constant) that output pixels [lo, hi) need: exact hull, monotone in lo and
   * hi. Left out: all of them.
   */
  reads?(ctx: OpContext<A>, index: number, lo: number, hi: number): PixelRange;
  /**
   * Inputs over which the output may lie exactly: element e of the output is written only after elements up to
   * e of that input have been read and is never read again.
   */
  inPlace?(ctx: OpContext<A>): readonly number[];
  /** Multiply-accumulates of one whole evaluation; 0 where none are counted (elementwise, data movement). */
  macs(ctx: OpContext<A>): number;
  /** Working memory during one firing. */
  scratchBytes?(ctx: OpContext<A>): number;
  readonly fold?: Fold<A>;
  /** When this returns aliases, the operator is a view: addresses, no code. */
  aliases?(ctx: OpContext<A>): readonly Alias[];
  /** Builds the reference kernel, specialised to this operator's shapes and types. */
  kernel(ctx: OpContext<A>): Kernel;
  /** Present where the operator maps each element by itself: what an epilogue needs. */
  readonly unary?: Unary<A>;
}

/** An elementwise function of one number, with the channel given for per-channel parameters. */
export interface Unary<A extends Attributes = Attributes> {
  /** The function on real numbers (float32 in, float32 out). */
  real(attrs: A): (x: number, channel: number) => number;
  /**
   * Where stored integers map to stored integers by a rule of their own (a dialect's fixed-point
   * arithmetic). Left out: dequantise, apply `real`, quantise.
   */
  stored?(
    attrs: A,
    from: ElementType,
    to: ElementType,
    dialect: Dialect,
  ): ((q: number, channel: number) => number) | undefined;
  /** A plain loop for types that deserve one; it does what the function does. */
  run?(attrs: A, from: ElementType, to: ElementType, dialect: Dialect): UnaryRun | undefined;
  /** True where the function depends on the channel. */
  readonly perChannel?: boolean;
}

/** Maps `count` elements from `from[i]` on to `to[o]` on, in ascending order; the two may be the same. */
export type UnaryRun = (from: TypedArray, i: number, to: TypedArray, o: number, count: number) => void;
