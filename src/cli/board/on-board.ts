/** A model on an emulated part: planned for its RAM, built, run twice over different paint, compared with the reference. */
import { kernelsFor } from '../../boards/kernels.ts';
import { layoutOf } from '../../boards/layout.ts';
import type { Counts } from '../../boards/marks.ts';
import type { Part } from '../../boards/parts.ts';
import { EXIT_CODES } from '../../boards/report.ts';
import { TidemarkError } from '../../errors.ts';
import { allocate, elementCount, type Graph, type TypedArray } from '../../graph/graph.ts';
import { lowerPlan } from '../../kernels/lower.ts';
import { type Part as SearchPart, unlessStopped } from '../../part.ts';
import type { Plan, Policy } from '../../plan/plan.ts';
import { type ExecuteResult, measureTouchedBytes } from '../../run/execute.ts';
import type { FileArray } from '../../run/input/file-array.ts';
import { fromTensor } from '../../run/input/port-values.ts';
import { runReference } from '../../run/reference.ts';
import { planModel } from '../planning.ts';
import type { Progress } from '../terminal/progress.ts';
import { emulate } from './emulate.ts';
import { buildFirmware, type Firmware } from './firmware.ts';

export interface OnBoardRequest {
  readonly policy: Policy;
  /** Budget of the arena; left out: what the part has. 'min': the smallest there is. */
  readonly ram?: number | 'min';
  /** A plan instead of making one. */
  readonly plan?: Plan;
  readonly maxOverhead?: number;
  /** Runs the parts of the search for a plan, which it may break off. Left out: nothing does. */
  readonly search?: SearchPart;
  readonly progress?: Progress;
}

export interface OnBoard {
  readonly plan: Plan;
  readonly firmware: Firmware;
  /** Left out where the firmware does not fit the part. */
  readonly run?: BoardRun;
}

export interface BoardRun extends Counts {
  /** High water, from paint. */
  readonly stackBytes: number;
  readonly touchedBytes: number;
  /** Equal to the layer-by-layer reference, bit for bit, both times. */
  readonly equal: boolean;
  readonly outputs: readonly FileArray[];
}

/** First guess of what stack and data take; what the build then says is taken the second time. */
const RESERVED_BYTES = 1024;
const PAINTS = [0xa5, 0x3c] as const;

/** Builds for a part; with `inputs`, as files have them, `run` follows. */
export function buildFor(graph: Graph, part: Part, request: OnBoardRequest): OnBoard {
  const layout = layoutOf(part);
  if (!layout)
    throw new TidemarkError(
      'usage',
      `--board ${part.name}: no emulated machine has its core (${part.core}) with room for it; fit --board plans for it`,
    );
  const { progress } = request;
  let reserved = RESERVED_BYTES;
  let before: OnBoard | undefined;
  for (;;) {
    const budget = layout.ramBytes - layout.fenceBytes - reserved;
    const budgetBytes = request.ram === 'min' ? undefined : Math.min(request.ram ?? budget, budget);
    const plan = request.plan ?? planFor(graph, request, budgetBytes, before !== undefined);
    if (!plan) return before!;
    progress?.step('compiling');
    const firmware = buildFirmware(lowerPlan(graph, plan, kernelsFor(part.core)), layout);
    const needed = firmware.stackBoundBytes + firmware.dataBytes + 32;
    if (firmware.fits || before || request.plan || request.ram === 'min' || needed <= reserved)
      return { plan, firmware };
    before = { plan, firmware };
    reserved = needed;
  }
}

/** A plan; undefined where the search was broken off before it began and there is one already. */
function planFor(
  graph: Graph,
  { policy, maxOverhead, search: part, progress }: OnBoardRequest,
  budgetBytes: number | undefined,
  planned: boolean,
): Plan | undefined {
  const budget = budgetBytes === undefined ? undefined : Math.max(1, budgetBytes);
  const plan = () => planModel(graph, { budgetBytes: budget, maxOverhead, policy, part, progress }).plan;
  return planned ? unlessStopped(plan) : plan();
}

/** Runs what `buildFor` built on inputs: `arrays` as files have them, `tensors` as the arena has them. */
export function runBuilt(
  graph: Graph,
  { firmware, plan }: OnBoard,
  inputs: { readonly arrays: readonly FileArray[]; readonly tensors: readonly TypedArray[] },
  progress?: Progress,
): BoardRun {
  const [first, second] = PAINTS.map((paint, i) => {
    progress?.step(`running on ${firmware.layout.machine.qemu} (${i + 1} of 2)`);
    const run = emulate(firmware, inputs.tensors, { paint });
    if (run.fault) {
      const { kind, address } = run.fault;
      const where = address === undefined ? '' : ` at 0x${address.toString(16)}`;
      throw new TidemarkError('internal', `the firmware faulted${where}: ${kind}`);
    }
    if (run.exitCode === EXIT_CODES.slack)
      throw new TidemarkError('internal', 'the firmware wrote past an end of the arena');
    if (!run.report || !run.counts)
      throw new TidemarkError(
        'internal',
        'the firmware left no report, or its instructions were not counted',
      );
    return run;
  });
  progress?.step('running the reference');
  const expected = runReference(
    graph,
    inputs.arrays.map((a) => a.values),
  );
  const results = [first, second].map(
    (run): ExecuteResult => ({ outputs: typed(graph, run.outputs), arena: run.arena }),
  );
  const arrays = results.map(({ outputs }) => graph.outputs.map((port, i) => fromTensor(port, outputs[i])));
  const equal = arrays.every((outputs) => outputs.every((o, i) => same(o.values, expected[i].values)));
  return {
    ...first.counts!,
    stackBytes: Math.max(first.report!.stackBytes, second.report!.stackBytes),
    touchedBytes:
      plan.arenaBytes === 0 ? 0 : measureTouchedBytes(results[0], PAINTS[0], results[1], PAINTS[1]),
    equal,
    outputs: arrays[0],
  };
}

function typed(graph: Graph, outputs: readonly Uint8Array[]): TypedArray[] {
  return graph.outputs.map((port, i) => {
    const tensor = graph.tensors[port.tensor];
    const values = allocate(tensor.dtype, elementCount(tensor.shape));
    new Uint8Array(values.buffer).set(outputs[i].subarray(0, values.byteLength));
    return values;
  });
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i]) && a[i] !== b[i]) return false;
  return true;
}
