/**
 * Random networks planned by every technique and computed by every backend: all must give the layer-by-layer run's bits,
 * and that must be what ONNX Runtime says of the network written as a file.
 */
import { writeOnnx } from '../../src/emit/onnx/write.ts';
import { TidemarkError } from '../../src/errors.ts';
import { csdfPlanOf } from '../../src/fit/csdf.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import { PLAIN, VECTOR16, VECTOR32, VECTOR64 } from '../../src/kernels/machine.ts';
import { guardedRun } from '../../src/kernels/testing/guarded-run.ts';
import { restructureGraph } from '../../src/passes/1-restructure/restructure.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { graphMacs } from '../../src/plan/metrics.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { executePlan } from '../../src/run/execute.ts';
import { isFileType } from '../../src/run/input/file-array.ts';
import { wasmBackend } from '../../src/run/wasm-backend.ts';
import { difference, rawPlans, type Subject, subjectOf } from '../random/random-plans.ts';
import { CBatch } from './c-batch.ts';
import { Finding } from './finding.ts';
import { compareWithRuntime, type Runtime } from './with-runtime.ts';

interface NetworkPlan {
  readonly name: string;
  readonly graph: Graph;
  readonly plan: Plan;
}

const MACHINES = [PLAIN, VECTOR16, VECTOR32, VECTOR64];
const C_MACHINES = [...new Array(8).fill(PLAIN), VECTOR16, ...new Array(8).fill(PLAIN), VECTOR32];

/** Hundreds of tiles take the search for an order seconds. */
const MOST_TILED_OPERATORS = 100;

/** The interpreter takes some microseconds an operation: larger networks are left to the others. */
const MOST_INTERPRETED_MACS = 15_000;

export class NetworkBatch {
  /** Runs that agreed, by technique and backend; refusals to emit, and what ONNX Runtime said. */
  readonly counts: Record<string, number> = {};
  readonly #runtime: Runtime;
  #c: CBatch | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Throws a Finding, or whatever a defect throws. */
  async add(seed: number, mark: (phase: string) => void): Promise<void> {
    mark('making');
    const subject = subjectOf(seed, { wide: true, greatest: 6 });
    const plans = this.#plans(subject, mark);
    plans.forEach(({ name, graph, plan }, i) => {
      mark(`${name} in the executor`);
      this.#agree(
        subject,
        name,
        'executor',
        () => executePlan(graph, plan, subject.inputs, { paint: 0xa5 }).outputs,
      );
      const turn = seed + i;
      if (turn % 4 === 0) {
        mark(`${name} as WebAssembly`);
        this.#agree(
          subject,
          name,
          'wasm',
          () => wasmBackend.prepare(graph, plan).run(subject.inputs, { paint: 0x5a }).outputs,
        );
      }
      if (turn % 9 === 0 && graphMacs(graph) <= MOST_INTERPRETED_MACS) {
        mark(`${name} interpreted`);
        const machine = MACHINES[turn % MACHINES.length];
        this.#agree(subject, name, 'interpreter', () => guardedRun(graph, plan, machine, subject.inputs));
      }
    });
    // Compiling takes longest of all: every other network, and few with vectors.
    if (seed % 2 === 0) {
      const { name, graph, plan } = plans[(seed / 2) % plans.length];
      mark(`${name} in C`);
      this.#c ??= new CBatch(C_MACHINES[Math.floor(seed / 50) % C_MACHINES.length]);
      this.#tolerate(name, 'c', () => this.#c!.add(seed, name, subject, graph, plan));
    }
    await this.#outside(subject, mark);
  }

  /** Compiles and runs what was added as C; what is wrong with any of it. */
  finish(): { seed: number; problem: string }[] {
    const { agreed, problems } = this.#c?.run() ?? { agreed: [], problems: [] };
    for (const name of agreed) this.#count(name, 'c');
    this.#c = undefined;
    return problems;
  }

  #count(name: string, backend: string): void {
    const key = `${name} | ${backend}`;
    this.counts[key] = (this.counts[key] ?? 0) + 1;
  }

  #agree(subject: Subject, name: string, backend: string, run: () => readonly TypedArray[]): void {
    this.#tolerate(name, backend, () => {
      const wrong = difference(run(), subject.expected);
      if (wrong) throw new Finding(`seed ${subject.seed}, ${name}, ${backend}: ${wrong}`);
      this.#count(name, backend);
    });
  }

  /** What a target has no form for yet is counted; it must say so by its code. */
  #tolerate(name: string, backend: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof TidemarkError && error.code === 'operator-unsupported')) throw error;
      this.#count(name, `${backend}, no form`);
    }
  }

  #plans(subject: Subject, mark: (phase: string) => void): NetworkPlan[] {
    const { seed, graph, policy } = subject;
    const found: NetworkPlan[] = [];
    const add = (name: string, make: () => Plan, own = graph) => {
      mark(`planning ${name}`);
      const plan = make();
      const { ok, problem } = checkPlan(own, plan);
      if (!ok) throw new Finding(`seed ${seed}, ${name}: the checker refuses the plan: ${problem}`);
      found.push({ name, graph: own, plan });
    };
    add('layerwise', () => fitGraph(graph, { policy, method: 'layerwise' }).plan);
    const layerwise = found[0].plan.arenaBytes;
    // The searches take most of the time: each network gets one of them.
    if (seed % 2 === 0) add('fit', () => fitGraph(graph, { policy }).plan);
    else if (seed % 4 === 1)
      add('budget', () => fitGraph(graph, { policy, budgetBytes: Math.ceil(layerwise * 0.8) }).plan);
    else if (seed % 16 === 3) add('fit, strips', () => fitGraph(graph, { policy, maxOverhead: 0.3 }).plan);
    add('overlap', () => overlapGraph(graph, { policy, granularity: 'pixel' }).plan);
    add('csdf', () => csdfPlanOf(graph, policy, 'apart').plan);
    add('csdf-reuse', () => csdfPlanOf(graph, policy, 'shared').plan);
    mark('planning cuts');
    for (const { name, plan } of rawPlans(subject)) add(name, () => plan);
    if (seed % 12 === 7) {
      mark('restructuring');
      const tiled = restructureGraph(graph, { policy }).graph;
      if (tiled.operators.length > MOST_TILED_OPERATORS) return found;
      add('restructure', () => fitGraph(tiled, { policy, method: 'layerwise' }).plan, tiled);
    }
    return found;
  }

  async #outside({ seed, graph, inputs, expected }: Subject, mark: (phase: string) => void): Promise<void> {
    // The other dialect's rounding is not what ONNX Runtime does.
    if (graph.dialect === 'tflite') return;
    mark('writing ONNX');
    let bytes: Uint8Array;
    try {
      bytes = writeOnnx(graph);
    } catch (error) {
      if (!(error instanceof TidemarkError && error.code === 'operator-unsupported')) throw error;
      this.#count('ONNX Runtime', 'no ONNX form');
      return;
    }
    mark('in ONNX Runtime');
    const arrays = graph.inputs.map(({ shape, dtype }, i) => {
      if (!isFileType(dtype)) throw new Finding(`seed ${seed}: port type ${dtype}`);
      return { dtype, shape, values: inputs[i] };
    });
    const shown = graph.outputs.map(({ shape }, i) => ({ shape, values: expected[i] }));
    const said = await compareWithRuntime(this.#runtime, bytes, graph, arrays, shown);
    this.#count('ONNX Runtime', said ?? 'refused');
  }
}
