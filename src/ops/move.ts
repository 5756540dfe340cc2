/** What the operators that only move data share: checks, types that keep their bytes, element addresses. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, type ElementType, type Quantisation, type Tensor } from '../graph/graph.ts';
import type { Alias, OpContext, OutputType, View } from './operator.ts';
import { channelsAdjoin, type PixelMap } from './pixel-map.ts';
import { sameType } from './stored.ts';

/**
 * The output's type: the input's, or the one the file declares when its elements are the same. Stored values
 * are copied in either case, as the reference kernels do.
 */
export function movedType(x: Tensor, given: readonly OutputType[] | undefined, quant = x.quant): ElementType {
  const declared = given?.[0];
  if (declared && declared.dtype !== x.dtype) {
    throw new TidemarkError(
      'type-unsupported',
      `the input ${x.name} is ${x.dtype} and the output ${declared.dtype}: moving data cannot convert it`,
    );
  }
  return { dtype: x.dtype, quant: declared?.quant ?? quant };
}

/**
 * Quantisation after a move. Per-axis entries must keep their axis whole: `axisOf` tells where an axis went,
 * undefined when it was cut or mixed.
 */
export function movedQuant(
  x: Tensor,
  axisOf: (axis: number) => number | undefined,
): Quantisation | undefined {
  const { quant } = x;
  if (!quant || quant.scale.length === 1) return quant;
  const axis = axisOf(quant.axis);
  if (axis === undefined) {
    throw new TidemarkError(
      'quantisation-invalid',
      `${x.name} is quantised per axis ${quant.axis}, which this operator cuts or mixes; quantise it per tensor`,
    );
  }
  return { ...quant, axis };
}

/** Throws unless `axis` is a dimension of the tensor. */
export function checkAxis(axis: number, x: Tensor): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= x.shape.length) {
    throw new TidemarkError(
      'operator-invalid',
      `axis ${axis} does not exist in ${x.name} of shape [${x.shape}]`,
    );
  }
}

/** Throws unless a tensor of indices holds whole numbers. */
export function checkIndices(indices: Tensor): void {
  if (indices.dtype !== 'f32') return;
  throw new TidemarkError(
    'operator-invalid',
    `the indices ${indices.name} are f32; expected a tensor of whole numbers`,
  );
}

/** Throws unless the list has one entry for each dimension of x. */
export function checkPerAxis(name: string, list: readonly number[], x: Tensor): void {
  if (list.length !== x.shape.length) {
    throw new TidemarkError(
      'operator-invalid',
      `${name} has ${list.length} entries, expected one for each of the ${x.shape.length} dimensions of ${x.name}`,
    );
  }
}

/** Index in the view's data of element e of the tensor, counted in raster order. */
export function elementIndex(view: View, channels: number): (e: number) => number {
  if (view.contiguous) {
    const base = view.at(0);
    return (e) => base + e;
  }
  return (e) => {
    const pixel = Math.floor(e / channels);
    return view.at(pixel) + (e - pixel * channels);
  };
}

/** Elements between neighbours along each axis. */
export function elementStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/** True when nothing is left to compute but addresses: the output has its parent's type and no epilogue. */
export function mayAlias({ op, inputs, outputs }: OpContext, input = 0): boolean {
  const x = inputs[input];
  return !!x && !x.constant && !op.epilogue?.length && sameType(x, outputs[0]);
}

/** The output as a view of its only input, where the pixel map is affine. */
export function viewOfInput(ctx: OpContext, map: PixelMap, channels: readonly number[]): readonly Alias[] {
  if (!mayAlias(ctx) || !channelsAdjoin(channels)) return [];
  const affine = map.affine();
  if (!affine) return [];
  const of = channelsOf(ctx.inputs[0]!.shape);
  return [
    {
      child: ctx.outputs[0].id,
      parent: ctx.inputs[0]!.id,
      offset: affine.offset * of + (channels[0] ?? 0),
      pixelStride: affine.stride * of,
      ...(affine.rows ? { rows: { pixels: affine.rows.pixels, stride: affine.rows.stride * of } } : {}),
    },
  ];
}
