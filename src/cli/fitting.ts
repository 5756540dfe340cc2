/** What `fit` and `check` share: options, the planning itself, its JSON, its files, its text. */
import path from 'node:path';
import type { Command } from 'commander';
import { type Compiled, compileModel } from '../compile.ts';
import { TidemarkError } from '../errors.ts';
import type { BankRequest, Shortfall } from '../fit/banks.ts';
import { weightBytes } from '../plan/metrics.ts';
import type { Plan } from '../plan/plan.ts';
import { planTraffic } from '../plan/traffic.ts';
import { formatCount, formatPercent, formatSize } from '../report/format.ts';
import { htmlReport } from '../report/html.ts';
import { type Profile, profileOf } from '../report/profile.ts';
import { type Timeline, timelineOf } from '../report/timeline.ts';
import { boundedSearch, searchedFor, stopDocument } from './bounded.ts';
import { type NamedFile, refuseUnwritable, writeTogether } from './files.ts';
import type { StoppedBy } from './interrupt.ts';
import { modelSource } from './model.ts';
import { type BoardOptions, type BoardReport, boardReport, budgetOf, withBoard } from './options/board.ts';
import { type PlanningBounds, withPlanningBounds } from './options/limits.ts';
import { type ModelOptions, type PolicyOptions, withModel, withPolicies } from './options/shared.ts';
import { collectBank } from './options/size.ts';
import { parsePercent } from './options/values.ts';
import { fitRequest } from './planning.ts';
import { readmeOf } from './readme.ts';
import type { NamedTarget, TargetOutput } from './targets.ts';
import { memoryBars } from './terminal/memory-bars.ts';
import { startProgress } from './terminal/progress.ts';
import { style } from './terminal/style.ts';
import { facts, table } from './terminal/table.ts';
import { programVersion } from './version.ts';

export interface FitOptions extends ModelOptions, PolicyOptions, BoardOptions, PlanningBounds {
  readonly maxOverhead?: number;
  readonly bank?: readonly BankRequest[];
  readonly out?: string;
  readonly target?: readonly string[];
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
  /** With --bank: what each bank holds and what a run moves in it. */
  readonly banks?: readonly (BankRequest & {
    readonly usedBytes: number;
    readonly readBytes: number;
    readonly writtenBytes: number;
  })[];
  /** With --bank and fits false: the bank that does not suffice, and what it would have to hold. */
  readonly shortfall?: Shortfall;
  /** With --board: the part. `fits` then wants the constants in its flash too. */
  readonly board?: BoardReport;
  /** Figures of each target that was asked for. */
  readonly targets?: Readonly<Record<string, TargetOutput['figures']>>;
  readonly files: readonly string[];
  /** Ctrl-C ended the search: the plan is the best that it had found. */
  readonly interrupted?: true;
  /** What ended the search early: Ctrl-C, --time-limit or --memory-limit. */
  readonly stoppedBy?: StoppedBy;
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
  const { timeLimit, memoryLimit } = options;
  const bounded = timeLimit !== undefined || memoryLimit !== undefined;
  const work = boundedSearch(options, progress, () => 'writing down the best plan found so far', keeps);
  const request = {
    budgetBytes,
    maxOverhead: options.maxOverhead,
    banks: options.bank,
    policy: { input: options.input, output: options.output },
    accounting: options.accounting,
    progress,
    part: keeps || bounded ? work.run : undefined,
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
  const document = documentOf(
    model,
    options,
    compiled,
    budgetBytes,
    files.map(({ file }) => file),
    board,
  );
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

function documentOf(
  model: string,
  options: FitOptions,
  compiled: Compiled,
  budgetBytes: number | undefined,
  files: readonly string[],
  board: BoardReport | undefined,
): FitDocument {
  const { plan, fits, arenaBytes, scratchBytes, macs, macOverhead, lowerBoundBytes, optimal, checked } =
    compiled;
  return {
    model,
    ramBudgetBytes: budgetBytes ?? null,
    fits:
      fits &&
      (board?.flashFits ?? true) &&
      compiled.arenaBytes <= (board ? board.ramBytes - board.reservedBytes : Number.POSITIVE_INFINITY),
    ...(board ? { board } : {}),
    arenaBytes,
    scratchBytes,
    macs,
    macOverhead,
    lowerBoundBytes,
    optimal,
    checked,
    ...(options.bank ? banksDocument(compiled, options.bank) : {}),
    ...(fits ? {} : { smallestBytes: arenaBytes, smallestMacOverhead: macOverhead }),
    accounting: options.accounting,
    spans: plan.spans,
    files,
  };
}

/** What each bank holds and what a run moves in it; or what is missing. */
function banksDocument(
  { graph, plan, fits, shortfall }: Compiled,
  banks: readonly BankRequest[],
): Pick<FitDocument, 'banks' | 'shortfall'> {
  if (!fits) return { shortfall };
  const traffic = planTraffic(graph, plan);
  return {
    banks: banks.map((bank) => {
      const { bytes, readBytes, writtenBytes } = traffic.find((t) => t.name === bank.name)!;
      return { ...bank, usedBytes: bytes, readBytes, writtenBytes };
    }),
  };
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

export function fitText({ document: d, before, timeline, written }: Fitted): string {
  const gain = 1 - d.arenaBytes / Math.max(1, before.livenessPeakBytes);
  const verdict = d.fits
    ? `${style.green('fits')}${d.banks ? ': this plan moves the least found to and from the slower banks' : d.ramBudgetBytes === null ? ': this is the smallest plan found' : ` into ${formatSize(d.ramBudgetBytes)}`}`
    : d.board && !d.board.flashFits
      ? `${style.red('does not fit')} into the flash of ${d.board.title}: its constants take ${formatSize(d.board.weightBytes)}, there are ${formatSize(d.board.flashBytes)}`
      : d.shortfall
        ? shortfallText(d.shortfall)
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
      ...(d.board
        ? [
            [
              'board',
              `${d.board.title}: ${formatSize(d.board.ramBytes)} of RAM, ${formatSize(d.board.reservedBytes)} kept for the rest; ${formatSize(d.board.weightBytes)} of constants in ${formatSize(d.board.flashBytes)} of flash`,
            ] as [string, string],
          ]
        : []),
      ...(d.banks ?? []).map(
        (b) =>
          [
            `bank ${b.name}`,
            `${formatSize(b.usedBytes)} of ${formatSize(b.capacityBytes)}; a run reads ${formatSize(b.readBytes)} and writes ${formatSize(b.writtenBytes)}`,
          ] as [string, string],
      ),
      ...written.flatMap(({ output }) => output.lines),
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

function shortfallText({ name, capacityBytes, neededBytes }: Shortfall): string {
  return `${style.red('does not fit')}: bank ${name} would have to hold ${formatSize(neededBytes)}, it has ${formatSize(capacityBytes)}: short by ${formatSize(neededBytes - capacityBytes)}`;
}

/** How many spans are listed before the rest is only counted: those that need most are what matters. */
const LISTED = 12;

function spansText(spans: FitDocument['spans']): string {
  const modes: Readonly<Record<string, string>> = {
    whole: 'whole tensors',
    rows: 'rows',
    pixels: 'pixels',
    singles: 'rows, placed singly',
  };
  const shown = spans.length <= LISTED ? spans : largest(spans);
  const rows = shown.map((s) => [
    s.first,
    s.last,
    String(s.operators),
    modes[s.mode] ?? s.mode,
    formatSize(s.arenaBytes),
    otherwise(s),
  ]);
  const text = table(
    [
      { title: 'from', flexible: true },
      { title: 'to', flexible: true },
      { title: 'operators', align: 'right' },
      { title: 'streamed by' },
      { title: 'needs', align: 'right' },
      { title: 'otherwise', flexible: true },
    ],
    rows,
  );
  return shown.length === spans.length
    ? text
    : `${text}\nand ${spans.length - shown.length} spans that need less`;
}

/** What the other ways of running a span would need: why it runs as it does. */
function otherwise({ mode, instead }: FitDocument['spans'][number]): string {
  const words = { whole: 'whole', rows: 'rows', pixels: 'pixels', singles: 'singly' } as const;
  return (Object.keys(words) as (keyof typeof words)[])
    .flatMap((m) =>
      m === mode || instead?.[m] === undefined ? [] : [`${words[m]} ${formatSize(instead[m])}`],
    )
    .join(', ');
}

/** The spans that need most, in their order. */
function largest(spans: FitDocument['spans']): FitDocument['spans'] {
  const limit = [...spans].sort((a, b) => b.arenaBytes - a.arenaBytes)[LISTED - 1].arenaBytes;
  return spans.filter((s) => s.arenaBytes >= limit).slice(0, LISTED);
}
