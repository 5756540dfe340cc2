/** Proves a plan by its checker and by running it: the arena painted in two ways, the outputs compared. */

import type { Graph, TensorId } from '../graph/graph.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend } from '../run/backend.ts';
import { compareArrays, type Difference, worstOf } from '../run/compare-outputs.ts';
import { measureTouchedBytes } from '../run/execute.ts';
import type { FileArray } from '../run/input/file-array.ts';
import { fromTensor, portType } from '../run/input/port-values.ts';
import { runOnnxRuntime } from '../run/onnx-runtime.ts';
import { runReference } from '../run/reference.ts';
import { type InputOptions, loadInputs } from './inputs.ts';
import type { LoadedModel } from './model.ts';
import type { Progress } from './terminal/progress.ts';

export interface Verification extends Difference {
  readonly verified: boolean;
  /** Why not, in one line. */
  readonly reason?: string;
  readonly checked: boolean;
  /** What the checker found. */
  readonly problem?: string;
  /** What computed. */
  readonly backend: string;
  /** What it was compared with. */
  readonly against: string;
  readonly arenaBytes: number;
  readonly touchedBytes: number;
}

export interface VerifyOptions extends InputOptions {
  readonly against: 'auto' | 'onnxruntime' | 'layers';
}

/** Largest error relative to the range that passes for floats, and for files that keep 16-bit floats. */
const FLOAT_TOLERANCE = 1e-4;
const HALF_TOLERANCE = 1e-2;

const PAINTS = [0x00, 0xa5] as const;

export async function verifyModel(
  loaded: LoadedModel,
  plan: Plan,
  backend: Backend,
  options: VerifyOptions,
  progress: Progress,
): Promise<Verification> {
  const { graph } = loaded;
  const base = { backend: backend.name, arenaBytes: plan.arenaBytes };
  progress.step('checking the plan');
  const check = checkPlan(graph, plan);
  if (!check.ok) {
    const nothing = { ...worstOf([]), exact: false, touchedBytes: 0, against: '' };
    return {
      ...nothing,
      ...base,
      verified: false,
      checked: false,
      problem: check.problem,
      reason: 'the checker refuses the plan',
    };
  }
  const inputs = loadInputs(graph, options);
  const prepared = backend.prepare(graph, plan, (done) =>
    progress.step(`making ready ${Math.round(done * 100)} %`),
  );
  const [first, second] = PAINTS.map((paint, i) =>
    prepared.run(inputs.tensors, {
      paint,
      onProgress: (done) => progress.step(`run ${i + 1} of 2: ${Math.round(done * 100)} %`),
    }),
  );
  const touchedBytes = measureTouchedBytes(first, PAINTS[0], second, PAINTS[1]);
  const outputs = graph.outputs.map((port, i) => fromTensor(port, first.outputs[i]));
  const again = graph.outputs.map((port, i) => fromTensor(port, second.outputs[i]));
  const steady = outputs.every((o, i) => compareArrays(graph.outputs[i].name, again[i], o).exact);
  progress.step('running the reference');
  const onnx = loaded.format === 'onnx' && options.against !== 'layers';
  const expected = onnx ? await fromRuntime(loaded, inputs.arrays) : fromLayers(loaded, inputs.arrays);
  const pairs = graph.outputs.map((port, i) => ({
    actual: outputs[i],
    expected: expected[i],
    difference: compareArrays(port.name, outputs[i], expected[i]),
  }));
  const difference = worstOf(pairs.map((p) => p.difference));
  const reason = !steady
    ? 'the result depends on what the memory held before'
    : onnx
      ? outOfTolerance(loaded, pairs)
      : difference.exact
        ? undefined
        : 'the result differs from the layer-by-layer run, which must be equal bit for bit';
  return {
    ...difference,
    ...base,
    verified: reason === undefined,
    reason,
    checked: true,
    against: onnx ? 'ONNX Runtime' : 'layer by layer',
    touchedBytes,
  };
}

async function fromRuntime({ graph, file }: LoadedModel, inputs: readonly FileArray[]): Promise<FileArray[]> {
  const results = await runOnnxRuntime(file!, new Map(graph.inputs.map((port, i) => [port.name, inputs[i]])));
  return graph.outputs.map((port) => results.get(port.name)!);
}

function fromLayers({ graph }: LoadedModel, inputs: readonly FileArray[]): FileArray[] {
  const results = runReference(
    graph,
    inputs.map((a) => a.values),
  );
  return results.map(({ shape, values }, i) => ({ dtype: portType(graph.outputs[i]), shape, values }));
}

interface Pair {
  readonly actual: FileArray;
  readonly difference: Difference;
}

/** Floats may be off by rounding; integers of a quantised output by one step. */
function outOfTolerance({ graph }: LoadedModel, pairs: readonly Pair[]): string | undefined {
  for (const [i, { actual, difference }] of pairs.entries()) {
    const { name } = graph.outputs[i];
    if (actual.dtype.startsWith('f')) {
      const half = [...graph.inputs, ...graph.outputs].some((p) => p.dtype === 'f16');
      const limit = half ? HALF_TOLERANCE : FLOAT_TOLERANCE;
      // Integers inside: a tie that rounds the other way is one step of the output.
      const step = stepOf(graph, graph.outputs[i].tensor);
      if (step > 0 && difference.maxAbsError <= step * 1.001) continue;
      if (difference.maxRelError > limit) {
        return `output ${name} is off by ${difference.maxRelError.toPrecision(3)} of its range, more than ${limit}`;
      }
    } else if (difference.maxAbsError > 1) {
      return `output ${name} is off by ${difference.maxAbsError} steps, more than 1`;
    }
  }
  return undefined;
}

/** One step of the integers that a float is dequantised from, or a sum of such; 0 where it is computed in floats. */
function stepOf(graph: Graph, id: TensorId): number {
  const maker = graph.operators.find((op) => op.outputs.includes(id));
  if (!maker || maker.epilogue?.length) return 0;
  if (maker.kind === 'Dequantize') return Math.max(0, ...(graph.tensors[maker.inputs[0]].quant?.scale ?? []));
  const steps = maker.inputs.filter((input) => input >= 0).map((input) => stepOf(graph, input));
  if (maker.kind === 'Add' || maker.kind === 'Sub') return steps.reduce((sum, step) => sum + step, 0);
  return maker.kind === 'Reshape' || maker.kind === 'Transpose' ? steps[0] : 0;
}
