/**
 * The whole way of one model file, as a user's would be: read, planned by every technique, proved, run. What may come
 * of it is a refusal in one line or the right answer; all else is a finding.
 */
import { importModel, planGraph } from '../../src/compile.ts';
import { TidemarkError } from '../../src/errors.ts';
import { csdfPlanOf } from '../../src/fit/csdf.ts';
import { canStream } from '../../src/fit/limits.ts';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import { ABSENT, elementCount, type Graph, type TypedArray, tensorBytes } from '../../src/graph/graph.ts';
import { VECTOR16 } from '../../src/kernels/machine.ts';
import { guardedRun } from '../../src/kernels/testing/guarded-run.ts';
import { seeded } from '../../src/ops/testing/operator-case.ts';
import { restructureGraph } from '../../src/passes/1-restructure/restructure.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { graphMacs } from '../../src/plan/metrics.ts';
import type { Plan, Policy } from '../../src/plan/plan.ts';
import { executePlan } from '../../src/run/execute.ts';
import type { FileArray, FileType } from '../../src/run/input/file-array.ts';
import { portType, toTensor } from '../../src/run/input/port-values.ts';
import { fromGraphLayout, runReference } from '../../src/run/reference.ts';
import { wasmBackend } from '../../src/run/wasm-backend.ts';
import { Finding } from './finding.ts';
import { any } from './values.ts';
import { compareWithRuntime, type Runtime, type RuntimeVerdict } from './with-runtime.ts';

export interface Verdict {
  /** `refused`, `ran`, or how far it went where it is too large to run here. */
  readonly outcome: 'refused' | 'read' | 'planned' | 'ran';
  /** Code of the refusal. */
  readonly code?: string;
  readonly message?: string;
  /** Where ONNX Runtime took the file too: what the comparison said. */
  readonly runtime?: RuntimeVerdict;
}

export interface JudgeOptions {
  readonly seed: number;
  /** ONNX Runtime, where results are to be compared with it. */
  readonly runtime?: Runtime;
  /** Told what is being done, so that whoever watches knows where a case died. */
  readonly mark?: (phase: string) => void;
}

/** What is planned and run here: larger networks are only read, or planned layer by layer. */
const MOST_RUN_BYTES = 2 ** 18;
const MOST_RUN_MACS = 2e6;
const MOST_RUN_OPERATORS = 60;
const MOST_TILED_OPERATORS = 100;
const MOST_PLANNED_BYTES = 2 ** 24;

const POLICIES: readonly Policy[] = [
  { input: 'reuse', output: 'whole' },
  { input: 'keep', output: 'streamed' },
  { input: 'external', output: 'whole' },
  { input: 'streamed', output: 'streamed' },
];

/** Throws a Finding, or whatever a defect throws. */
export async function judgeModel(bytes: Uint8Array, file: string, options: JudgeOptions): Promise<Verdict> {
  const mark = options.mark ?? (() => {});
  const random = seeded(options.seed ^ 0x2f6e2b1);
  try {
    mark('reading');
    const graph = importModel({ bytes, file });
    mark('planning');
    const size = sizeOf(graph);
    if (size.bytes > MOST_PLANNED_BYTES) return { outcome: 'read' };
    const policy = any(random, POLICIES);
    const large =
      size.bytes > MOST_RUN_BYTES || size.macs > MOST_RUN_MACS || size.operators > MOST_RUN_OPERATORS;
    if (large) {
      planGraph(graph, { policy, method: 'layerwise' });
      return { outcome: 'planned' };
    }
    const plans = everyPlan(graph, policy, options.seed, mark);
    mark('running');
    const inputs = graph.inputs.map((port) => inputFor(graph, port.tensor, port, random));
    const expected = runReference(
      graph,
      inputs.map((i) => i.array.values as TypedArray),
    );
    const tensors = inputs.map((i) => i.tensor);
    for (const { name, graph: own, plan } of plans) {
      mark(`running ${name}`);
      const { outputs } = executePlan(own, plan, tensors, { paint: 0xa5 });
      compare(graph, `${name} on the reference executor`, outputs, expected);
    }
    for (const { name, graph: own, plan } of [any(random, plans)]) {
      mark(`${name} as WebAssembly`);
      tolerateGaps(() =>
        compare(
          graph,
          `${name} as WebAssembly`,
          wasmBackend.prepare(own, plan).run(tensors, { paint: 0x5a }).outputs,
          expected,
        ),
      );
      if (size.macs > 20_000 || size.bytes > 20_000) continue;
      mark(`${name} interpreted`);
      tolerateGaps(() =>
        compare(graph, `${name} interpreted`, guardedRun(own, plan, VECTOR16, tensors), expected),
      );
    }
    if (!options.runtime || !file.endsWith('.onnx')) return { outcome: 'ran' };
    mark('in ONNX Runtime');
    const runtime = await compareWithRuntime(
      options.runtime,
      bytes,
      graph,
      inputs.map((i) => i.array),
      expected,
    );
    return { outcome: 'ran', runtime };
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    return { outcome: 'refused', code: error.code, message: refusal(error) };
  }
}

/** A refusal that helps: one line, short, not a defect that calls itself one or looks like one. */
export function refusal({ code, message }: TidemarkError): string {
  if (code === 'internal') throw new Finding(`internal: ${message}`);
  if (/\n/.test(message)) throw new Finding(`more than one line: ${message}`);
  if (message.length > 1500)
    throw new Finding(`a message of ${message.length} characters: ${message.slice(0, 200)}`);
  const leak =
    /Cannot (read properties|destructure|convert (a|undefined)|mix)|is not (a function|iterable|defined)|\bundefined\b|\[object|Invalid (array|typed)|call stack|NaN (bytes|elements)/i;
  if (leak.test(message)) throw new Finding(`a raw exception in the message: ${message}`);
  return message;
}

interface NamedPlan {
  readonly name: string;
  readonly graph: Graph;
  readonly plan: Plan;
}

/** Every technique on a small network, each plan proven. Those that take longest have their turn now and then. */
function everyPlan(graph: Graph, policy: Policy, seed: number, mark: (phase: string) => void): NamedPlan[] {
  const plans: NamedPlan[] = [];
  const add = (name: string, make: () => Plan, own = graph) => {
    mark(`planning ${name}`);
    const plan = make();
    const { ok, problem } = checkPlan(own, plan);
    if (!ok) throw new Finding(`${name}: the checker refuses the plan: ${problem}`);
    plans.push({ name, graph: own, plan });
  };
  add('layerwise', () => planGraph(graph, { policy, method: 'layerwise' }).plan);
  if (!canStream(graph)) return plans;
  add('fit', () => planGraph(graph, { policy, maxOverhead: seed % 5 === 0 ? 0.2 : undefined }).plan);
  add('overlap', () => overlapGraph(graph, { policy, granularity: 'pixel' }).plan);
  add('csdf', () => csdfPlanOf(graph, policy, 'apart').plan);
  add('csdf-reuse', () => csdfPlanOf(graph, policy, 'shared').plan);
  if (seed % 10 !== 1) return plans;
  mark('restructuring');
  const tiled = restructureGraph(graph, { policy }).graph;
  // Hundreds of tiles take the search for an order seconds.
  if (tiled.operators.length > MOST_TILED_OPERATORS) return plans;
  add('restructure', () => planGraph(tiled, { policy, method: 'layerwise' }).plan, tiled);
  return plans;
}

/** What has no code in a target yet, and is said to have none. */
function tolerateGaps(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code === 'internal') throw error;
  }
}

function sizeOf(graph: Graph): { bytes: number; macs: number; operators: number } {
  let bytes = 0;
  for (const op of graph.operators)
    for (const id of [...op.inputs, ...op.outputs])
      if (id !== ABSENT) bytes += tensorBytes(graph.tensors[id]);
  for (const p of [...graph.inputs, ...graph.outputs]) bytes += tensorBytes(graph.tensors[p.tensor]);
  // Each part of a concat may become an operator that copies it.
  const operators = graph.operators.reduce((n, op) => n + (op.kind === 'Concat' ? op.inputs.length : 1), 0);
  return { bytes, macs: graphMacs(graph), operators };
}

function inputFor(graph: Graph, id: number, port: Graph['inputs'][number], random: () => number) {
  const count = elementCount(port.shape);
  const dtype = portType(port);
  const values = Float64Array.from({ length: count }, () => randomFor(dtype, random));
  const array: FileArray = { dtype, shape: port.shape, values };
  const tensor = toTensor(port, graph.tensors[id], array);
  // What the reference takes: the file's order, the graph's element type.
  const plain = toTensor({ ...port, perm: undefined }, graph.tensors[id], array);
  return { tensor, array: { ...array, values: plain } };
}

function randomFor(dtype: FileType, random: () => number): number {
  if (dtype === 'bool') return random() < 0.5 ? 0 : 1;
  if (dtype === 'u8') return Math.floor(random() * 256);
  if (dtype === 'i8') return Math.floor(random() * 256) - 128;
  if (dtype.startsWith('f')) return Math.fround(Math.round((random() * 2 - 1) * 512) / 512);
  return Math.floor(random() * 7);
}

function compare(
  graph: Graph,
  what: string,
  outputs: readonly TypedArray[],
  expected: readonly { readonly values: TypedArray }[],
): void {
  outputs.forEach((output, o) => {
    const found = fromGraphLayout(graph.outputs[o], output);
    const right = expected[o].values;
    if (found.length !== right.length)
      throw new Finding(`${what}: output ${o} has ${found.length} elements, not ${right.length}`);
    for (let e = 0; e < found.length; e++)
      if (!Object.is(found[e], right[e]))
        throw new Finding(`${what}: output ${o}, element ${e}: ${found[e]} instead of ${right[e]}`);
  });
}
