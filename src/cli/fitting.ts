/** What `fit` and `check` share: options, the planning itself, its files. */
import path from 'node:path';
import type { Command } from 'commander';
import { type Compiled, compileModel } from '../compile.ts';
import { TidemarkError } from '../errors.ts';
import type { BankRequest } from '../fit/banks.ts';
import { weightBytes } from '../plan/metrics.ts';
import { htmlReport } from '../report/html.ts';
import { type Profile, profileOf } from '../report/profile.ts';
import { type Timeline, timelineOf } from '../report/timeline.ts';
import { boundedSearch, searchedFor, stopDocument } from './bounded.ts';
import { type NamedFile, refuseUnwritable, writeTogether } from './files.ts';
import { documentOf, type FitDocument } from './fit-document.ts';
import { modelSource } from './model.ts';
import { type BoardOptions, boardReport, budgetOf, withBoard } from './options/board.ts';
import { type PlanningBounds, withPlanningBounds } from './options/limits.ts';
import { type ModelOptions, type PolicyOptions, withModel, withPolicies } from './options/shared.ts';
import { collectBank } from './options/size.ts';
import { parsePercent } from './options/values.ts';
import { fitRequest } from './planning.ts';
import { readmeOf } from './readme.ts';
import type { NamedTarget, TargetOutput } from './targets.ts';
import { startProgress } from './terminal/progress.ts';
import { programVersion } from './version.ts';

export interface FitOptions extends ModelOptions, PolicyOptions, BoardOptions, PlanningBounds {
  readonly maxOverhead?: number;
  readonly bank?: readonly BankRequest[];
  readonly out?: string;
  readonly target?: readonly string[];
  readonly json?: boolean;
}

export interface Fitted {
  readonly document: FitDocument;
  readonly before: Profile;
  readonly timeline: Timeline;
  readonly written: readonly Written[];
}

/** A target, and what it made. */
interface Written {
  readonly name: string;
  readonly output: TargetOutput;
}

export function withFit(command: Command): Command {
  withModel(command);
  const ram = 'budget, e.g. 65536, 64K, 1.5M; min: the smallest arena there is';
  command.option('--ram <size>', ram);
  withBoard(command);
  command.option('--max-overhead <percent>', 'multiply-accumulates that may be computed again', (t) =>
    parsePercent(t, '--max-overhead'),
  );
  command.option(
    '--bank <name=size>',
    'a memory bank instead of --ram, fastest first (repeatable), e.g. --bank sram=64K --bank psram=8M',
    collectBank,
  );
  return withPlanningBounds(withPolicies(command));
}

/** With `keeps`, Ctrl-C ends the search with what it has found instead of ending the process. */
export function fitModel(
  model: string,
  options: FitOptions,
  targets: readonly NamedTarget[] = [],
  keeps = false,
): Fitted {
  const { budgetBytes, part } = budgetOf(options);
  if (options.out !== undefined) refuseUnwritable(options.out);
  if (targets.length > 0 && options.out === undefined)
    throw new TidemarkError('usage', `--target ${targets[0].name} needs a folder to write to: -o DIR`);
  const source = modelSource(model, { ...options, toRun: targets.length > 0 });
  for (const target of targets) target.refuse?.(model, source);
  const progress = startProgress();
  const kept = () => `${options.out === undefined ? 'keeping' : 'writing down'} the best plan found so far`;
  const work = boundedSearch(options, progress, kept, keeps);
  const request = {
    budgetBytes,
    maxOverhead: options.maxOverhead,
    banks: options.bank,
    policy: { input: options.input, output: options.output },
    accounting: options.accounting,
    progress,
    part: work.run,
  };
  const compiled = searchedFor(work, () => compileModel(source, fitRequest(request)));
  progress.step('drawing');
  const before = profileOf(compiled.graph, { opsOnly: options.accounting === 'ops-only' });
  const timeline = timelineOf(compiled.graph, compiled.plan);
  const written = targets.map((target) => {
    progress.step(`writing ${target.name}`);
    return { name: target.name, output: target.write({ model, source, compiled, budgetBytes }) };
  });
  progress.done();
  const files =
    options.out === undefined
      ? []
      : [
          ...planFiles(model, options, compiled, before, timeline, budgetBytes),
          ...targetFiles(model, options.out, written),
        ];
  writeTogether(files);
  const board = part && boardReport(part, options.reserve, weightBytes(compiled.graph));
  const { bank, accounting } = options;
  const names = files.map(({ file }) => file);
  const document = documentOf(compiled, { model, budgetBytes, bank, accounting, board, files: names });
  const figures = Object.fromEntries(written.map(({ name, output }) => [name, output.figures]));
  return {
    document: {
      ...document,
      ...(written.length > 0 ? { targets: figures } : {}),
      ...(work.stoppedBy === 'interrupt' ? { interrupted: true } : {}),
      ...stopDocument(work),
    },
    before,
    timeline,
    written,
  };
}

/** Whether the plan and every target asked for fit the budget. */
export function allFit({ document, written }: Fitted): boolean {
  return document.fits && written.every(({ output }) => output.fits);
}

/** What the targets made, and a page that says what each file is. */
function targetFiles(model: string, folder: string, written: readonly Written[]): NamedFile[] {
  if (written.length === 0) return [];
  const made = written.flatMap(({ output }) => output.files);
  const texts = [...made, { name: 'README.txt', content: readmeOf(model, made) }];
  return texts.map(({ name, content }) => ({ file: path.join(folder, name), content }));
}

/** plan.json and report.html. A plan that does not fit is written too: it shows where the memory goes. */
function planFiles(
  model: string,
  options: FitOptions,
  compiled: Compiled,
  before: Profile,
  timeline: Timeline,
  budgetBytes: number | undefined,
): NamedFile[] {
  const folder = options.out!;
  const report = htmlReport({
    ...compiled,
    model,
    version: programVersion(),
    budgetBytes,
    weightBytes: weightBytes(compiled.graph),
    policy: compiled.plan.policy,
    accounting: options.accounting,
    before: { peakBytes: before.livenessPeakBytes, steps: before.steps },
    spans: compiled.plan.spans,
    timeline,
  });
  return [
    { file: path.join(folder, 'plan.json'), content: `${JSON.stringify(compiled.plan)}\n` },
    { file: path.join(folder, 'report.html'), content: report },
  ];
}
