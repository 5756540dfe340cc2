/** `tidemark verify`: checks a plan, runs it, and compares it with a reference that knows nothing of plans. */
import type { Command } from 'commander';
import { formatSize } from '../../report/format.ts';
import { watches } from '../../run/c-watch.ts';
import { type BackendOption, loadBackend, loadWatched, withBackend } from '../backends.ts';
import { type InputOptions, withInputs } from '../inputs.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withPlanningBounds } from '../options/limits.ts';
import { type ModelOptions, withJson, withModel } from '../options/shared.ts';
import { parseBudget } from '../options/size.ts';
import { oneOf } from '../options/values.ts';
import { answer, answerNo } from '../output.ts';
import { readPlan } from '../plan-file.ts';
import { planWithin } from '../planning.ts';
import { startProgress } from '../terminal/progress.ts';
import { style } from '../terminal/style.ts';
import { facts } from '../terminal/table.ts';
import { type Verification, verifyModel } from '../verification.ts';

interface Options extends ModelOptions, InputOptions, BackendOption, PlanningBounds {
  readonly plan?: string;
  readonly ram?: string;
  readonly against: 'auto' | 'onnxruntime' | 'layers';
  readonly sanitize?: string | true;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withModel(command);
  command
    .option('--plan <file>', 'plan.json of an earlier fit; left out: the smallest plan is made')
    .option('--ram <size>', 'plan within this budget, when there is no --plan')
    .option(
      '--against <reference>',
      'onnxruntime, layers (layer by layer, outside any plan), or auto: ONNX Runtime for .onnx files',
      oneOf('--against', ['auto', 'onnxruntime', 'layers']),
      'auto',
    );
  withPlanningBounds(command);
  withInputs(command);
  withBackend(command);
  command.option(
    '--sanitize [how]',
    'with --backend c: everything dead is forbidden before each firing, and watched by address (AddressSanitizer and UndefinedBehaviorSanitizer, the default), bytes (a table of our own, exact), or valgrind',
    oneOf('--sanitize', watches),
  );
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark verify model.onnx\n  tidemark verify zoo:resnet8 --dtype int8 --ram 24K\n  tidemark verify model.tflite --plan out/plan.json --json\n  tidemark verify zoo:ds-cnn --dtype int8 --backend c --sanitize\n',
    )
    .action(run);
}

async function run(model: string, options: Options): Promise<void> {
  const backend =
    options.sanitize === undefined
      ? await loadBackend(options.backend)
      : await loadWatched(options.backend, options.sanitize === true ? 'address' : options.sanitize);
  const loaded = loadModel(model, { ...options, toRun: true });
  const progress = startProgress();
  const budgetBytes = options.ram === undefined ? undefined : parseBudget(options.ram, '--ram');
  const request = { budgetBytes, policy: { input: 'reuse', output: 'whole' }, progress } as const;
  const { plan, stop } = options.plan
    ? { plan: readPlan(options.plan, loaded.graph), stop: {} }
    : planWithin(loaded.graph, request, options);
  const result = await verifyModel(loaded, plan, backend, options, progress);
  progress.done();
  const fits = budgetBytes === undefined || plan.arenaBytes <= budgetBytes;
  const verified = result.verified && fits;
  if (!verified) answerNo();
  const reason = fits ? result.reason : `the arena of ${plan.arenaBytes} bytes is above --ram ${options.ram}`;
  answer(options.json, { model, ...result, verified, reason, ...stop }, () =>
    text(model, { ...result, verified, reason }),
  );
}

function text(model: string, v: Verification): string {
  const verdict = v.verified ? style.green('verified') : style.red(`not verified: ${v.reason}`);
  const differing = v.elements > 0 && !v.exact ? `, ${v.differing} of ${v.elements} values differ` : '';
  return facts([
    ['model', model],
    ['result', verdict],
    ['ran on', v.backend],
    ['checker', v.checked ? 'proved every read and write' : `refused: ${v.problem}`],
    [
      'against',
      v.against === ''
        ? 'nothing was run'
        : `${v.against}: ${v.exact ? 'equal bit for bit' : `off by at most ${v.maxAbsError.toPrecision(3)}, ${v.maxRelError.toPrecision(3)} of the range${differing}`}`,
    ],
    [
      'arena',
      `${formatSize(v.arenaBytes)} (${v.arenaBytes} bytes), of which a run touched ${v.touchedBytes}`,
    ],
  ]);
}
