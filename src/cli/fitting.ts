/** What `fit` and `check` share: options, the planning itself, its JSON, its files, its text. */
import path from 'node:path';
import type { Command } from 'commander';
import { type Compiled, compileModel } from '../compile.ts';
import { weightBytes } from '../plan/metrics.ts';
import type { Plan } from '../plan/plan.ts';
import { formatCount, formatPercent, formatSize } from '../report/format.ts';
import { htmlReport } from '../report/html.ts';
import { type Profile, profileOf } from '../report/profile.ts';
import { type Timeline, timelineOf } from '../report/timeline.ts';
import { refuseUnwritable, writeWhole } from './files.ts';
import { modelSource } from './model.ts';
import { type ModelOptions, type PolicyOptions, withModel, withPolicies } from './options/shared.ts';
import { parseBudget } from './options/size.ts';
import { parsePercent } from './options/values.ts';
import { fitRequest } from './planning.ts';
import { memoryBars } from './terminal/memory-bars.ts';
import { startProgress } from './terminal/progress.ts';
import { style } from './terminal/style.ts';
import { facts, table } from './terminal/table.ts';
import { programVersion } from './version.ts';

export interface FitOptions extends ModelOptions, PolicyOptions {
  readonly ram: string;
  readonly maxOverhead?: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** The JSON of `fit` and `check`. */
export interface FitDocument {
  readonly model: string;
  readonly ramBudgetBytes: number | null;
  readonly fits: boolean;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  readonly macs: number;
  readonly macOverhead: number;
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  readonly checked: boolean;
  /** With fits false: the smallest arena there is, and what it costs. */
  readonly smallestBytes?: number;
  readonly smallestMacOverhead?: number;
  readonly accounting: string;
  readonly spans: Plan['spans'];
  readonly files: readonly string[];
}

export interface Fitted {
  readonly document: FitDocument;
  readonly before: Profile;
  readonly timeline: Timeline;
}

export function withFit(command: Command, ramIsRequired = false): Command {
  withModel(command);
  const ram = 'budget, e.g. 65536, 64K, 1.5M; min: the smallest arena there is';
  if (ramIsRequired) command.requiredOption('--ram <size>', ram);
  else command.option('--ram <size>', ram, 'min');
  command.option('--max-overhead <percent>', 'multiply-accumulates that may be computed again', (t) =>
    parsePercent(t, '--max-overhead'),
  );
  return withPolicies(command);
}

export function fitModel(model: string, options: FitOptions): Fitted {
  const budgetBytes = parseBudget(options.ram, '--ram');
  if (options.out !== undefined) refuseUnwritable(options.out);
  const source = modelSource(model, options);
  const progress = startProgress();
  const request = {
    budgetBytes,
    policy: { input: options.input, output: options.output },
    accounting: options.accounting,
    progress,
  };
  const compiled = compileModel(source, fitRequest(request));
  progress.step('drawing');
  const before = profileOf(compiled.graph, { opsOnly: options.accounting === 'ops-only' });
  const timeline = timelineOf(compiled.graph, compiled.plan);
  progress.done();
  const files =
    options.out === undefined ? [] : writeFiles(model, options, compiled, before, timeline, budgetBytes);
  return { document: documentOf(model, options, compiled, budgetBytes, files), before, timeline };
}

function documentOf(
  model: string,
  options: FitOptions,
  compiled: Compiled,
  budgetBytes: number | undefined,
  files: readonly string[],
): FitDocument {
  const { plan, fits, arenaBytes, scratchBytes, macs, macOverhead, lowerBoundBytes, optimal, checked } =
    compiled;
  return {
    model,
    ramBudgetBytes: budgetBytes ?? null,
    fits,
    arenaBytes,
    scratchBytes,
    macs,
    macOverhead,
    lowerBoundBytes,
    optimal,
    checked,
    ...(fits ? {} : { smallestBytes: arenaBytes, smallestMacOverhead: macOverhead }),
    accounting: options.accounting,
    spans: plan.spans,
    files,
  };
}

/** plan.json and report.html. A plan that does not fit is written too: it shows where the memory goes. */
function writeFiles(
  model: string,
  options: FitOptions,
  compiled: Compiled,
  before: Profile,
  timeline: Timeline,
  budgetBytes: number | undefined,
): string[] {
  const folder = options.out!;
  const files = { plan: path.join(folder, 'plan.json'), report: path.join(folder, 'report.html') };
  writeWhole(files.plan, `${JSON.stringify(compiled.plan)}\n`);
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
  writeWhole(files.report, report);
  return Object.values(files);
}

export function fitText({ document: d, before, timeline }: Fitted): string {
  const gain = 1 - d.arenaBytes / Math.max(1, before.livenessPeakBytes);
  const verdict = d.fits
    ? `${style.green('fits')}${d.ramBudgetBytes === null ? ': this is the smallest plan found' : ` into ${formatSize(d.ramBudgetBytes)}`}`
    : `${style.red('does not fit')} into ${formatSize(d.ramBudgetBytes!)}: the smallest plan found, this one, takes ${formatSize(d.arenaBytes)}`;
  const bound = d.optimal
    ? 'and no addresses can do with less'
    : `${formatSize(d.lowerBoundBytes)} is the bound for this schedule`;
  return [
    facts([
      ['model', d.model],
      ['result', verdict],
      ['arena', `${style.bold(formatSize(d.arenaBytes))} (${d.arenaBytes} bytes), ${bound}`],
      [
        'layer by layer',
        `${formatSize(before.livenessPeakBytes)}${gain > 0 ? `; saved ${formatPercent(gain)}` : ''}`,
      ],
      ['working memory', `${formatSize(d.scratchBytes)}, inside the arena`],
      [
        'multiply-accumulates',
        `${formatCount(d.macs)}, ${d.macOverhead === 0 ? 'none twice' : `${formatPercent(d.macOverhead)} computed again`}`,
      ],
      [
        'checker',
        d.checked
          ? `proved ${formatCount(timeline.firings)} firings, byte by byte`
          : style.red('refused the plan'),
      ],
    ]),
    '',
    style.dim('layer by layer'),
    memoryBars(
      before.steps.map((s) => s.liveBytes),
      { peakAt: before.peakAt, budgetBytes: d.ramBudgetBytes ?? undefined, rows: 6 },
    ),
    '',
    style.dim('this plan, on the same scale'),
    memoryBars(timeline.liveBytes, {
      peakAt: timeline.peakAt,
      budgetBytes: d.ramBudgetBytes ?? undefined,
      scaleBytes: before.livenessPeakBytes,
      rows: 6,
    }),
    '',
    spansText(d.spans),
    ...(d.files.length > 0 ? ['', `written: ${d.files.join(', ')}`] : []),
  ].join('\n');
}

/** How many spans are listed before the rest is only counted: those that need most are what matters. */
const LISTED = 12;

function spansText(spans: FitDocument['spans']): string {
  const modes: Readonly<Record<string, string>> = { whole: 'whole tensors', rows: 'rows', pixels: 'pixels' };
  const shown = spans.length <= LISTED ? spans : largest(spans);
  const rows = shown.map((s) => [
    s.first,
    s.last,
    String(s.operators),
    modes[s.mode] ?? s.mode,
    formatSize(s.arenaBytes),
  ]);
  const text = table(
    [
      { title: 'from', flexible: true },
      { title: 'to', flexible: true },
      { title: 'operators', align: 'right' },
      { title: 'streamed by' },
      { title: 'needs', align: 'right' },
    ],
    rows,
  );
  return shown.length === spans.length
    ? text
    : `${text}\nand ${spans.length - shown.length} spans that need less`;
}

/** The spans that need most, in their order. */
function largest(spans: FitDocument['spans']): FitDocument['spans'] {
  const limit = [...spans].sort((a, b) => b.arenaBytes - a.arenaBytes)[LISTED - 1].arenaBytes;
  return spans.filter((s) => s.arenaBytes >= limit).slice(0, LISTED);
}
