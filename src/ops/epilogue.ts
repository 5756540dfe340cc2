/** Applies an operator's epilogue (fused activations) in place to the pixels that it has just written. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, type Dialect, type Epilogue, elementCount, type Tensor } from '../graph/graph.ts';
import type { Kernel, Unary, UnaryRun, View } from './operator.ts';
import { definitionOf } from './registry.ts';
import { storedFunction, unaryRun, uniformRun } from './unary.ts';

export { coreOutputType } from './core-type.ts';

/** A pass over output pixels [lo, hi) that applies all steps, or undefined where there are none. */
export function epiloguePass(
  steps: readonly Epilogue[] | undefined,
  output: Tensor,
  dialect: Dialect,
): ((view: View, lo: number, hi: number) => void) | undefined {
  if (!steps || steps.length === 0) return undefined;
  const channels = channelsOf(output.shape);
  const run = joinedRun(steps, output, dialect);
  if (run) {
    return (view, lo, hi) => {
      const { data } = view;
      if (view.contiguous && hi > lo) run(data, view.at(lo), data, view.at(lo), (hi - lo) * channels);
      else for (let p = lo; p < hi; p++) run(data, view.at(p), data, view.at(p), channels);
    };
  }
  const functions = steps.map((step) =>
    storedFunction(unaryOf(step), step.attrs, step.from, step.to, dialect),
  );
  const signed = steps[0].from.dtype === 'i8';
  const bytes = output.dtype === 'u8' && signed;
  return (view, lo, hi) => {
    const { data } = view;
    for (let p = lo; p < hi; p++) {
      const base = view.at(p);
      for (let c = 0; c < channels; c++) {
        let v = data[base + c];
        if (bytes) v = (v << 24) >> 24;
        for (const f of functions) v = f(v, c);
        data[base + c] = v;
      }
    }
  };
}

function unaryOf(step: Epilogue): Unary {
  const { unary } = definitionOf(step.kind);
  if (!unary)
    throw new TidemarkError('internal', `${step.kind} is not elementwise and cannot be an epilogue`);
  return unary;
}

/** All steps as one loop where the channel does not matter: a plain one for one step, a table for bytes. */
function joinedRun(steps: readonly Epilogue[], output: Tensor, dialect: Dialect): UnaryRun | undefined {
  const alone = steps.map((step) =>
    unaryRun(unaryOf(step), step.attrs, step.from, step.to, dialect, elementCount(output.shape)),
  );
  if (alone.some((run) => !run)) return undefined;
  if (steps.length === 1) return alone[0];
  const functions = steps.map((s) => storedFunction(unaryOf(s), s.attrs, s.from, s.to, dialect));
  const all = (v: number, c: number) => functions.reduce((x, f) => f(x, c), v);
  return uniformRun(all, steps[0].from.dtype, output.dtype, elementCount(output.shape));
}

/** The kernel followed by its operator's epilogue. */
export function withEpilogue(kernel: Kernel, pass: ReturnType<typeof epiloguePass>): Kernel {
  if (!pass) return kernel;
  return (inputs, outputs, lo, hi, scratch) => {
    kernel(inputs, outputs, lo, hi, scratch);
    pass(outputs[0], lo, hi);
  };
}
