/** Times one model: its plans on the backends asked for, and other runtimes on the same values. */
import { planGraph } from '../../compile.ts';
import { writeOnnx } from '../../emit/onnx/write.ts';
import { TidemarkError } from '../../errors.ts';
import type { Graph, TypedArray } from '../../graph/graph.ts';
import { unlessStopped } from '../../part.ts';
import type { Plan } from '../../plan/plan.ts';
import { typedElements } from '../../run/input/file-array.ts';
import { TO_RUNTIME } from '../../run/onnx-runtime.ts';
import { loadBackend } from '../backends.ts';
import { boundedSearch, type StopDocument, searchedFor, stopDocument } from '../bounded.ts';
import { loadInputs } from '../inputs.ts';
import { type LoadedModel, loadModel } from '../model.ts';
import { readModelFile } from '../model-files.ts';
import type { PlanningBounds } from '../options/limits.ts';
import type { ModelOptions } from '../options/shared.ts';
import { note } from '../output.ts';
import { fitRequest } from '../planning.ts';
import type { Progress } from '../terminal/progress.ts';
import { withConstantWeights } from './constant-weights.ts';
import { type Feed, type OnnxRuntimeName, onnxRunner } from './onnx-runtimes.ts';
import { measure, type Runner, type Timing } from './runner.ts';

/** Layer by layer; the cheapest within the smallest arena and some room above it; the smallest. */
export const PLANS = ['layerwise', 'fit', 'smallest'] as const;
export const RUNTIMES = ['ort', 'ort-web'] as const;

export interface BenchOptions extends ModelOptions, PlanningBounds {
  readonly backend: readonly string[];
  readonly against: readonly OnnxRuntimeName[];
  readonly plan: readonly (typeof PLANS)[number][];
  readonly turns: number;
  readonly seed: number;
  /** Share of the smallest arena that a fitted plan may take above it. */
  readonly slack: number;
}

export interface Row extends Timing, StopDocument {
  readonly model: string;
  readonly dtype: string;
  readonly runtime: string;
  readonly plan: string | null;
  readonly arenaBytes: number | null;
  /** Median time of the runtime over this row's: above 1 is faster than it. */
  readonly ratioVsOrt: number | null;
  readonly ratioVsOrtWeb: number | null;
  /** The same of processor times. */
  readonly cpuRatioVsOrt: number | null;
  readonly cpuRatioVsOrtWeb: number | null;
}

/** Milliseconds that each gets in a turn. */
const TURN_MS = 100;

export async function benchModel(model: string, options: BenchOptions, progress: Progress): Promise<Row[]> {
  progress.step(`reading ${model}`);
  return benchLoaded(loadModel(model, { ...options, toRun: true }), options, progress);
}

/** The same of a model that is read already. */
export async function benchLoaded(
  loaded: LoadedModel,
  options: BenchOptions,
  progress: Progress,
): Promise<Row[]> {
  const { model, graph } = loaded;
  const { tensors, arrays } = loadInputs(graph, { ...options, input: [], resize: 'crop' });
  const runners: Runner[] = [];
  for (const plan of options.plan) {
    const planned = planOf(graph, plan, options, progress);
    for (const backend of options.backend)
      runners.push(await planRunner(backend, plan, graph, planned, tensors, progress));
  }
  const feeds = graph.inputs.map((port, i): Feed => {
    const array = arrays[i];
    return { name: port.name, type: TO_RUNTIME[array.dtype], shape: array.shape, data: typedElements(array) };
  });
  for (const name of options.against) {
    const runner = await otherRunner(name, loaded, feeds);
    if (runner) runners.push(runner);
  }
  const timings = await measure(runners, {
    turns: options.turns,
    turnMs: TURN_MS,
    onTurn: (done) => progress.step(`timing ${model} ${Math.round(done * 100)} %`),
  });
  return rowsOf(loaded, runners, timings);
}

/** A plan, the best found within the limits, each plan having them anew. */
function planOf(
  graph: Graph,
  plan: BenchOptions['plan'][number],
  { slack, ...options }: BenchOptions,
  progress: Progress,
): { readonly plan: Plan; readonly stop: StopDocument } {
  const work = boundedSearch(options, progress, () => `timing the best plan found so far (${plan})`, false);
  const policy = { input: 'reuse', output: 'whole' } as const;
  const request = fitRequest({ policy, progress, part: work.run });
  const found = searchedFor(work, () => {
    if (plan === 'layerwise') return planGraph(graph, { ...request, method: plan });
    const smallest = planGraph(graph, request);
    if (plan === 'smallest') return smallest;
    const budgetBytes = Math.floor(smallest.arenaBytes * (1 + slack));
    const cheapest = unlessStopped(() => planGraph(graph, { ...request, budgetBytes }));
    return cheapest?.fits ? cheapest : smallest;
  });
  return { plan: found.plan, stop: stopDocument(work) };
}

async function planRunner(
  backend: string,
  plan: string,
  graph: Graph,
  { plan: planned, stop }: ReturnType<typeof planOf>,
  inputs: readonly TypedArray[],
  progress: Progress,
): Promise<Runner> {
  const prepared = (await loadBackend(backend)).prepare(graph, planned, (done) =>
    progress.step(`${plan} for ${backend} ${Math.round(done * 100)} %`),
  );
  return {
    runtime: backend,
    plan,
    stop,
    arenaBytes: planned.arenaBytes,
    cpuMs: () => prepared.cpuMs,
    time(times) {
      if (prepared.time) return prepared.time(inputs, times);
      return Array.from({ length: times }, () => {
        const started = performance.now();
        prepared.run(inputs);
        return performance.now() - started;
      });
    },
  };
}

/** The model's own file where it is ONNX, its weights constant, else the graph written as ONNX. */
export function onnxOf({ format, file, graph }: LoadedModel): Uint8Array {
  return format === 'onnx' && file ? withConstantWeights(readModelFile(file)) : writeOnnx(graph);
}

async function otherRunner(
  name: OnnxRuntimeName,
  loaded: LoadedModel,
  feeds: readonly Feed[],
): Promise<Runner | undefined> {
  try {
    return await onnxRunner(name, onnxOf(loaded), feeds);
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    note(`${loaded.model}: left out of the comparison: ${error.message}`);
    return undefined;
  }
}

function rowsOf(
  { model, graph }: LoadedModel,
  runners: readonly Runner[],
  timings: readonly Timing[],
): Row[] {
  const ratios = (i: number, name: string) => {
    const other = runners.findIndex((r) => r.runtime === name);
    if (other < 0 || other === i) return { wall: null, cpu: null };
    return {
      wall: timings[other].medianMs / timings[i].medianMs,
      cpu: timings[other].cpuMs / timings[i].cpuMs,
    };
  };
  const quantised = graph.tensors.some((t) => t.quant && t.dtype !== 'i32');
  return runners.map(({ runtime, plan, stop, arenaBytes }, i) => {
    const ort = ratios(i, 'ort');
    const web = ratios(i, 'ort-web');
    return {
      model,
      dtype: quantised ? 'int8' : 'f32',
      runtime,
      plan,
      ...timings[i],
      arenaBytes,
      ratioVsOrt: ort.wall,
      ratioVsOrtWeb: web.wall,
      cpuRatioVsOrt: ort.cpu,
      cpuRatioVsOrtWeb: web.cpu,
      ...stop,
    };
  });
}

export interface Mean {
  readonly runtime: string;
  readonly plan: string | null;
  readonly models: number;
  readonly ratioVsOrt: number | null;
  readonly ratioVsOrtWeb: number | null;
  readonly cpuRatioVsOrt: number | null;
  readonly cpuRatioVsOrtWeb: number | null;
}

/** Geometric means of the ratios, by runtime and plan. */
export function geometricMeans(rows: readonly Row[]): Mean[] {
  const ours = rows.filter((r) => r.plan !== null);
  const keys = [...new Set(ours.map((r) => `${r.runtime} ${r.plan}`))];
  return keys.map((key) => {
    const group = ours.filter((r) => `${r.runtime} ${r.plan}` === key);
    const mean = (of: (r: Row) => number | null) => {
      const all = group.map(of).filter((v) => v !== null);
      return all.length === 0 ? null : Math.exp(all.reduce((n, v) => n + Math.log(v), 0) / all.length);
    };
    return {
      runtime: group[0].runtime,
      plan: group[0].plan,
      models: group.length,
      ratioVsOrt: mean((r) => r.ratioVsOrt),
      ratioVsOrtWeb: mean((r) => r.ratioVsOrtWeb),
      cpuRatioVsOrt: mean((r) => r.cpuRatioVsOrt),
      cpuRatioVsOrtWeb: mean((r) => r.cpuRatioVsOrtWeb),
    };
  });
}
