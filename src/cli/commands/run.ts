/** `tidemark run`: runs a model in its arena on files, pictures or made-up numbers. */
import type { Command } from 'commander';
import { TidemarkError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { checkPlan } from '../../plan/check.ts';
import type { Plan } from '../../plan/plan.ts';
import { formatSize } from '../../report/format.ts';
import type { FileArray } from '../../run/input/file-array.ts';
import { writeNpy } from '../../run/input/npy.ts';
import { writeNpz } from '../../run/input/npz.ts';
import { fromTensor } from '../../run/input/port-values.ts';
import { type BackendOption, loadBackend, withBackend } from '../backends.ts';
import { leastText, type StopDocument } from '../bounded.ts';
import { writeWhole } from '../files.ts';
import { type InputOptions, loadInputs, withInputs } from '../inputs.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withPlanningBounds } from '../options/limits.ts';
import { type ModelOptions, withJson, withModel } from '../options/shared.ts';
import { parseBudget } from '../options/size.ts';
import { answer, answerNo } from '../output.ts';
import { readPlan } from '../plan-file.ts';
import { planWithin } from '../planning.ts';
import { type Progress, startProgress } from '../terminal/progress.ts';
import { style } from '../terminal/style.ts';
import { facts } from '../terminal/table.ts';
import { type TopEntry, topOf } from '../top.ts';

interface Options extends ModelOptions, InputOptions, BackendOption, PlanningBounds {
  readonly plan?: string;
  readonly ram?: string;
  readonly output?: string;
  readonly json?: boolean;
}

interface OutputReport {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly file?: string;
  readonly top5?: readonly TopEntry[];
}

const BACKEND_NOTES: Readonly<Record<string, string>> = {
  reference: 'reference kernels, not tuned for speed',
  c: "C, by this host's compiler",
  'c-fast': "C, by this host's compiler",
  wasm: 'WebAssembly; the first run, before the engine has optimised it',
};

export function define(command: Command): void {
  withModel(command);
  command
    .option('--plan <file>', 'plan.json of an earlier fit; left out: the smallest plan is made')
    .option('--ram <size>', 'plan within this budget, when there is no --plan');
  withPlanningBounds(command);
  withInputs(command);
  withBackend(command);
  command.option('-o, --output <file>', 'write the outputs: .npy for one, .npz for several');
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark run zoo:resnet8 --dtype int8\n  tidemark run model.onnx --input cat.png --preprocess imagenet\n  tidemark run model.tflite --plan out/plan.json --input x.npy -o y.npy\n',
    )
    .action(run);
}

async function run(model: string, options: Options): Promise<void> {
  refuseContradictions(options);
  const backend = await loadBackend(options.backend);
  const { graph } = loadModel(model, { ...options, toRun: true });
  const given = options.plan === undefined ? undefined : checkedPlan(options.plan, graph);
  const inputs = loadInputs(graph, options);
  const progress = startProgress();
  const made = given ? { plan: given, stop: {} } : madePlan(model, graph, options, progress);
  if (!made) return;
  const { plan, stop } = made;
  const prepared = backend.prepare(graph, plan, (done) =>
    progress.step(`making ready ${Math.round(done * 100)} %`),
  );
  const started = performance.now();
  const result = prepared.run(inputs.tensors, {
    onProgress: (done) => progress.step(`running ${Math.round(done * 100)} %`),
  });
  const seconds = (performance.now() - started) / 1000;
  progress.done();
  const arrays = new Map(graph.outputs.map((port, i) => [port.name, fromTensor(port, result.outputs[i])]));
  if (options.output) writeOutputs(options.output, arrays);
  const outputs = graph.outputs.map((port) =>
    describe(graph, port.name, arrays.get(port.name)!, options.output),
  );
  answer(options.json, { model, outputs, seconds, arenaBytes: plan.arenaBytes, ...stop }, () =>
    text(outputs, seconds, plan.arenaBytes, backend.name),
  );
}

function refuseContradictions({ plan, ram, output }: Options): void {
  if (plan && ram)
    throw new TidemarkError('usage', '--ram makes a plan and --plan names one: give one of them');
  if (output && !/\.np[yz]$/i.test(output)) {
    throw new TidemarkError('usage', `--output expects a .npy or .npz file, got '${output}'`);
  }
}

/** A plan from a file is proved before it runs. */
function checkedPlan(file: string, graph: Graph): Plan {
  const plan = readPlan(file, graph);
  const { ok, problem } = checkPlan(graph, plan);
  if (!ok) throw new TidemarkError('plan-invalid', `${file}: the checker refuses the plan: ${problem}`);
  return plan;
}

/** A plan made now, and what ended the search for it; undefined, with the answer given, where the model does not fit. */
function madePlan(
  model: string,
  graph: Graph,
  options: Options,
  progress: Progress,
): { readonly plan: Plan; readonly stop: StopDocument } | undefined {
  const budgetBytes = options.ram === undefined ? undefined : parseBudget(options.ram, '--ram');
  const request = { budgetBytes, policy: { input: 'reuse', output: 'whole' }, progress } as const;
  const planned = planWithin(graph, request, options);
  if (planned.fits) return planned;
  progress.done();
  answerNo();
  const { arenaBytes: smallestBytes, stop } = planned;
  const least = leastText(`${formatSize(smallestBytes)} (${smallestBytes} bytes)`, stop.stoppedBy);
  answer(
    options.json,
    { model, fits: false, ramBudgetBytes: budgetBytes, smallestBytes, ...stop },
    () => `${style.red('does not fit')}: ${model} needs ${least}`,
  );
  return undefined;
}

function writeOutputs(file: string, arrays: ReadonlyMap<string, FileArray>): void {
  if (/\.npz$/i.test(file)) writeWhole(file, writeNpz(arrays));
  else if (arrays.size !== 1)
    throw new TidemarkError(
      'usage',
      `--output: the model has ${arrays.size} outputs; a .npz file holds several`,
    );
  else writeWhole(file, writeNpy([...arrays.values()][0]));
}

function describe(graph: Graph, name: string, array: FileArray, file: string | undefined): OutputReport {
  const port = graph.outputs.find((p) => p.name === name)!;
  return {
    name,
    shape: array.shape,
    dtype: array.dtype,
    ...(file ? { file } : {}),
    ...(isVector(array.shape) ? { top5: topOf(array, graph.tensors[port.tensor].quant) } : {}),
  };
}

/** One dimension larger than 1: scores of classes. */
function isVector(shape: readonly number[]): boolean {
  return shape.filter((d) => d > 1).length === 1;
}

function text(
  outputs: readonly OutputReport[],
  seconds: number,
  arenaBytes: number,
  backend: string,
): string {
  const parts = outputs.map((o) => {
    const head = `${o.name}  ${o.dtype}[${o.shape.join('x')}]${o.file ? `  ${o.file}` : ''}`;
    const top =
      o.top5?.map(
        (t) => `  ${String(t.index).padStart(5)}  ${t.value.toPrecision(6).replace(/\.?0+$/, '')}`,
      ) ?? [];
    return [head, ...top].join('\n');
  });
  return [
    ...parts,
    '',
    facts([
      ['arena', formatSize(arenaBytes)],
      [
        'time',
        `${seconds.toFixed(backend === 'reference' ? 2 : 4)} s (${BACKEND_NOTES[backend] ?? backend})`,
      ],
    ]),
  ].join('\n');
}
