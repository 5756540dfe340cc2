/** Applies an operator's epilogue (fused activations) in place to the pixels that it has just written. */
import { channelsOf, type Dialect, type Epilogue, type Tensor } from '../graph/graph.ts';
import type { Kernel, View } from './operator.ts';
import { definitionOf } from './registry.ts';
import { storedFunction } from './unary.ts';

export { coreOutputType } from './core-type.ts';

type ElementFunction = (stored: number, channel: number) => number;

/** The function of one epilogue step on stored values. */
function stepFunction(step: Epilogue, dialect: Dialect): ElementFunction {
  const { unary } = definitionOf(step.kind);
  if (!unary) throw new Error(`${step.kind} is not elementwise`);
  return storedFunction(unary, step.attrs, step.from, step.to, dialect);
}

/** A pass over output pixels [lo, hi) that applies all steps, or undefined where there are none. */
export function epiloguePass(
  steps: readonly Epilogue[] | undefined,
  output: Tensor,
  dialect: Dialect,
): ((view: View, lo: number, hi: number) => void) | undefined {
  if (!steps || steps.length === 0) return undefined;
  const functions = steps.map((s) => stepFunction(s, dialect));
  const channels = channelsOf(output.shape);
  return (view, lo, hi) => {
    const { data } = view;
    for (let p = lo; p < hi; p++) {
      const base = view.at(p);
      for (let c = 0; c < channels; c++) {
        let v = data[base + c];
        for (const f of functions) v = f(v, c);
        data[base + c] = v;
      }
    }
  };
}

/** The kernel followed by its operator's epilogue. */
export function withEpilogue(kernel: Kernel, pass: ReturnType<typeof epiloguePass>): Kernel {
  if (!pass) return kernel;
  return (inputs, outputs, lo, hi, scratch) => {
    kernel(inputs, outputs, lo, hi, scratch);
    pass(outputs[0], lo, hi);
  };
}
