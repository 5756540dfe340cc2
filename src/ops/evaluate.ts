/** Runs one operator on whole tensors outside any plan: constant folding and layer-by-layer reference runs. */
import { allocate, channelsOf, elementCount, pixelsOf, type TypedArray } from '../graph/graph.ts';
import { epiloguePass, withEpilogue } from './epilogue.ts';
import type { Kernel, OpContext, Scratch, View } from './operator.ts';
import { definitionOf } from './registry.ts';
import { contiguousView, scratchOver } from './views.ts';

/** The operator's kernel with its epilogue, ready to be called. */
export function completeKernel(ctx: OpContext): Kernel {
  const kernel = definitionOf(ctx.op.kind).kernel(ctx);
  return withEpilogue(kernel, epiloguePass(ctx.op.epilogue, ctx.outputs[0], ctx.dialect));
}

/** The operator's fold step; the epilogue runs when the last run of input has been consumed. */
export function completeFold(ctx: OpContext): Kernel {
  const step = definitionOf(ctx.op.kind).fold!.step(ctx);
  const pass = epiloguePass(ctx.op.epilogue, ctx.outputs[0], ctx.dialect);
  const all = pixelsOf(ctx.inputs[0]!.shape);
  const out = pixelsOf(ctx.outputs[0].shape);
  return (inputs, outputs, lo, hi, scratch) => {
    step(inputs, outputs, lo, hi, scratch);
    if (pass && hi === all) pass(outputs[0], 0, out);
  };
}

/** Output values of one operator. `values[i]` belongs to input i; undefined where it is absent. */
export function evaluate(ctx: OpContext, values: readonly (TypedArray | undefined)[]): TypedArray[] {
  const def = definitionOf(ctx.op.kind);
  const inputs: (View | undefined)[] = values.map((v, i) =>
    v ? contiguousView(v, channelsOf(ctx.inputs[i]!.shape)) : undefined,
  );
  const data = ctx.outputs.map((t) => allocate(t.dtype, elementCount(t.shape)));
  const outputs = data.map((d, i) => contiguousView(d, channelsOf(ctx.outputs[i].shape)));
  const bytes = def.scratchBytes?.(ctx) ?? 0;
  const scratch: Scratch = scratchOver(new ArrayBuffer(bytes), 0, bytes);
  completeKernel(ctx)(inputs, outputs, 0, pixelsOf(ctx.outputs[0].shape), scratch);
  return data;
}
