/** `tidemark bench`: plans and other runtimes, timed in turns in one process on one thread. */
import type { Command } from 'commander';
import { planGraph } from '../../compile.ts';
import { writeOnnx } from '../../emit/onnx/write.ts';
import { TidemarkError } from '../../errors.ts';
import type { Graph, TypedArray } from '../../graph/graph.ts';
import { formatSize } from '../../report/format.ts';
import { typedElements } from '../../run/input/file-array.ts';
import { TO_RUNTIME } from '../../run/onnx-runtime.ts';
import { backendNames, loadBackend } from '../backends.ts';
import { type Feed, type OnnxRuntimeName, onnxRunner } from '../bench/onnx-runtimes.ts';
import { measure, type Runner, type Timing } from '../bench/runner.ts';
import { loadInputs } from '../inputs.ts';
import { type LoadedModel, loadModel } from '../model.ts';
import { readModelFile } from '../model-files.ts';
import { type ModelOptions, withDtype, withJson } from '../options/shared.ts';
import { collectShape, parseCount } from '../options/values.ts';
import { answer, note } from '../output.ts';
import { fitRequest } from '../planning.ts';
import { type Progress, startProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';

const PLANS = ['layerwise', 'fit'] as const;
const RUNTIMES = ['ort', 'ort-web'] as const;

interface Options extends ModelOptions {
  readonly backend: readonly string[];
  readonly against: readonly OnnxRuntimeName[];
  readonly plan: readonly (typeof PLANS)[number][];
  readonly turns: number;
  readonly seed: number;
  readonly json?: boolean;
}

interface Row extends Timing {
  readonly model: string;
  readonly dtype: string;
  readonly runtime: string;
  readonly plan: string | null;
  readonly arenaBytes: number | null;
  /** Median time of the runtime over this row's: above 1 is faster than it. */
  readonly ratioVsOrt: number | null;
  readonly ratioVsOrtWeb: number | null;
}

export function define(command: Command): void {
  command
    .argument('<models...>', '.onnx or .tflite files, or zoo:NAME')
    .option(
      '--backend <names>',
      `what computes plans: some of ${backendNames.join(',')}`,
      listOf('--backend', backendNames),
      ['wasm'],
    )
    .option(
      '--against <names>',
      `runtimes to compare with: some of ${RUNTIMES.join(',')}`,
      listOf('--against', RUNTIMES),
      [],
    )
    .option('--plan <names>', `plans to time: some of ${PLANS.join(',')}`, listOf('--plan', PLANS), [
      ...PLANS,
    ])
    .option('--turns <n>', 'turns that each takes', (t) => parseCount(t, '--turns'), 7)
    .option('--seed <n>', 'seed of made-up inputs', (t) => parseCount(t, '--seed'), 1)
    .option('--shape <name=dims>', 'size of an input that a file leaves open (repeatable)', collectShape);
  withDtype(command);
  withJson(command);
  command
    .addHelpText(
      'after',
      `
Each turn runs everything for about 100 ms, one after another; the first runs are not counted. Ratios are the other
runtime's median over the row's: above 1 is faster than it.

Examples:
  tidemark bench zoo:resnet8 --dtype int8 --against ort,ort-web
  tidemark bench model.onnx model.tflite --plan layerwise --against ort-web --json
`,
    )
    .action(run);
}

function listOf<T extends string>(option: string, words: readonly T[]): (text: string) => readonly T[] {
  return (text) =>
    text.split(',').map((part) => {
      const found = words.find((w) => w === part.trim());
      if (found) return found;
      throw new TidemarkError('usage', `${option} expects some of ${words.join(',')}, got '${part}'`);
    });
}

/** Milliseconds that each gets in a turn. */
const TURN_MS = 100;

async function run(models: readonly string[], options: Options): Promise<void> {
  const progress = startProgress();
  const rows: Row[] = [];
  for (const model of models) rows.push(...(await benchModel(model, options, progress)));
  progress.done();
  const means = geometricMeans(rows);
  answer(options.json, { rows, means }, () => text(rows, means));
}

async function benchModel(model: string, options: Options, progress: Progress): Promise<Row[]> {
  progress.step(`reading ${model}`);
  const loaded = loadModel(model, { ...options, toRun: true });
  const { graph } = loaded;
  const { tensors, arrays } = loadInputs(graph, { ...options, input: [], resize: 'crop' });
  const runners: Runner[] = [];
  for (const plan of options.plan) {
    const method = plan === 'layerwise' ? plan : undefined;
    const policy = { input: 'reuse', output: 'whole' } as const;
    const planned = planGraph(graph, { ...fitRequest({ policy, progress }), method }).plan;
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

async function planRunner(
  backend: string,
  plan: string,
  graph: Graph,
  planned: ReturnType<typeof planGraph>['plan'],
  inputs: readonly TypedArray[],
  progress: Progress,
): Promise<Runner> {
  const prepared = (await loadBackend(backend)).prepare(graph, planned, (done) =>
    progress.step(`${plan} for ${backend} ${Math.round(done * 100)} %`),
  );
  return {
    runtime: backend,
    plan,
    arenaBytes: planned.arenaBytes,
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

/** Another runtime on the model's own file where it is ONNX, else on the graph written as ONNX. */
async function otherRunner(
  name: OnnxRuntimeName,
  { model, format, file, graph }: LoadedModel,
  feeds: readonly Feed[],
): Promise<Runner | undefined> {
  try {
    const bytes = format === 'onnx' && file ? readModelFile(file) : writeOnnx(graph);
    return await onnxRunner(name, bytes, feeds);
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    note(`${model}: left out of the comparison: ${error.message}`);
    return undefined;
  }
}

function rowsOf(
  { model, graph }: LoadedModel,
  runners: readonly Runner[],
  timings: readonly Timing[],
): Row[] {
  const against = (name: string) => {
    const i = runners.findIndex((r) => r.runtime === name);
    return i < 0 ? undefined : timings[i].medianMs;
  };
  const quantised = graph.tensors.some((t) => t.quant && t.dtype !== 'i32');
  return runners.map(({ runtime, plan, arenaBytes }, i) => {
    const ratio = (name: string) => {
      const other = against(name);
      return other === undefined || runtime === name ? null : other / timings[i].medianMs;
    };
    return {
      model,
      dtype: quantised ? 'int8' : 'f32',
      runtime,
      plan,
      ...timings[i],
      arenaBytes,
      ratioVsOrt: ratio('ort'),
      ratioVsOrtWeb: ratio('ort-web'),
    };
  });
}

interface Mean {
  readonly runtime: string;
  readonly plan: string | null;
  readonly models: number;
  readonly ratioVsOrt: number | null;
  readonly ratioVsOrtWeb: number | null;
}

/** Geometric means of the ratios, by runtime and plan. */
function geometricMeans(rows: readonly Row[]): Mean[] {
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
    };
  });
}

const ratioText = (v: number | null) => (v === null ? '' : v.toFixed(2));

function text(rows: readonly Row[], means: readonly Mean[]): string {
  const cells = rows.map((r) => [
    r.model,
    r.dtype,
    r.runtime,
    r.plan ?? '',
    r.medianMs.toFixed(3),
    r.minMs.toFixed(3),
    r.arenaBytes === null ? '' : formatSize(r.arenaBytes),
    ratioText(r.ratioVsOrt),
    ratioText(r.ratioVsOrtWeb),
  ]);
  const ratios = means.filter((m) => m.models > 1 && (m.ratioVsOrt ?? m.ratioVsOrtWeb) !== null);
  const last = ratios.map((m) => [
    `geometric mean of ${m.models}`,
    '',
    m.runtime,
    m.plan ?? '',
    '',
    '',
    '',
    ratioText(m.ratioVsOrt),
    ratioText(m.ratioVsOrtWeb),
  ]);
  return table(
    [
      { title: 'model', flexible: true },
      { title: 'type' },
      { title: 'runtime' },
      { title: 'plan' },
      { title: 'median ms', align: 'right' },
      { title: 'best ms', align: 'right' },
      { title: 'arena', align: 'right' },
      { title: 'x ort', align: 'right' },
      { title: 'x ort-web', align: 'right' },
    ],
    [...cells, ...last],
  );
}
