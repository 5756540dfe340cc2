/** The answer of `fit` for people. */
import type { Shortfall } from '../fit/banks.ts';
import { formatCount, formatPercent, formatSize } from '../report/format.ts';
import type { FitDocument } from './fit-document.ts';
import type { Fitted } from './fitting.ts';
import { memoryBars } from './terminal/memory-bars.ts';
import { style } from './terminal/style.ts';
import { facts, table } from './terminal/table.ts';

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
      [
        'schedule',
        `${formatCount(d.scheduleEntries)} entries in loops, ${formatSize(d.scheduleBytes)} stored`,
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
