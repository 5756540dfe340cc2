/** What `tidemark csdf` tells people. */
import type { CsdfAnswer } from '../fit/csdf.ts';
import type { ParetoSet } from '../passes/3-schedule/csdf/pareto.ts';
import type { Pipeline } from '../passes/3-schedule/csdf/partitions.ts';
import { formatCount, formatPercent, formatSize } from '../report/format.ts';
import { facts, table } from './terminal/table.ts';

export interface CsdfReport {
  readonly model: string;
  readonly options: { readonly padding: string; readonly accounting: string };
  readonly found: CsdfAnswer;
  readonly pipeline?: Pipeline;
  readonly pareto?: ParetoSet;
}

/** Choices of phases that are shown. */
const SHOWN_CHOICES = 16;

export function csdfText({ model, options, found, pipeline, pareto }: CsdfReport): string {
  const { throughput, betweenLayers: inner, plan, lowerBoundBytes } = found;
  const size = (bytes: number) =>
    `${formatSize(bytes)} (${formatPercent(1 - bytes / found.naiveBytes)} less)`;
  const speed = `${(throughput.macs / throughput.periodMacs).toFixed(2)} x one processor, at most ${(throughput.macs / Math.max(1, throughput.boundMacs)).toFixed(2)} x`;
  const layers = found.csdf.actors.filter((a) => a.kind !== 'input' && a.kind !== 'output').length;
  const lines: [string, string][] = [
    ['model', model],
    ['padding', options.padding === 'exact' ? 'exact' : "ignored, as in the authors' model"],
    ['layers, edges', `${layers}, ${found.edges.length}`],
    ['every edge whole', formatSize(found.naiveBytes)],
    ['a FIFO for every edge', size(found.bufferBytes)],
    ['a ring for every tensor', size(found.sharedBytes)],
    ['FIFOs that take turns', size(found.reuseBytes)],
    [
      'between layers only',
      `${formatSize(inner.bufferBytes)} of ${formatSize(inner.naiveBytes)}, taking turns ${formatSize(inner.reuseBytes)}`,
    ],
    ['phases', `${found.phases} firings a picture`],
    ['a processor a layer', throughput.macs > 0 ? speed : 'no multiply-accumulates'],
  ];
  if (plan) {
    const bound =
      lowerBoundBytes === plan.arenaBytes
        ? 'the least for this order'
        : `bound ${formatSize(lowerBoundBytes!)}`;
    lines.push(['as a plan', `${formatSize(plan.arenaBytes)} of arena, ${bound}`]);
  }
  lines.push(['checked', found.checked ? checkedHow(plan !== undefined) : 'NO']);
  const edges = table(
    [
      { title: 'from', flexible: true },
      { title: 'to', flexible: true },
      { title: 'whole', align: 'right' },
      { title: 'buffer', align: 'right' },
      { title: 'bytes', align: 'right' },
    ],
    found.edges.map((e) => [
      e.from,
      e.to,
      formatSize(e.wholeBytes),
      formatSize(e.bufferBytes),
      String(e.bufferBytes),
    ]),
  );
  return [facts(lines), edges, pipeline && pipelineText(pipeline), pareto && paretoText(pareto)]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

function checkedHow(planned: boolean): string {
  return planned
    ? 'ran in FIFOs of these sizes; the plan is proven'
    : 'ran in FIFOs of these sizes (token counts)';
}

function pipelineText(p: Pipeline): string {
  const crossing = p.crossings.reduce((n, c) => n + c.bytes, 0);
  return [
    table(
      [
        { title: 'stage', align: 'right' },
        { title: 'first', flexible: true },
        { title: 'last', flexible: true },
        { title: 'layers', align: 'right' },
        { title: 'MACs', align: 'right' },
        { title: 'phases', align: 'right' },
        { title: 'FIFOs', align: 'right' },
        { title: 'taking turns', align: 'right' },
      ],
      p.stages.map((s, i) => [
        String(i + 1),
        s.first,
        s.last,
        String(s.layers),
        formatCount(s.macs),
        String(s.phases),
        formatSize(s.bufferBytes),
        formatSize(s.reuseBytes),
      ]),
    ),
    `Between stages, whole and twice: ${formatSize(crossing)}. In all ${formatSize(p.bufferBytes)}, taking turns ${formatSize(p.reuseBytes)}.`,
    `A picture every ${formatCount(p.periodMacs)} MACs: ${(p.macs / Math.max(1, p.periodMacs)).toFixed(2)} x one processor.`,
  ].join('\n');
}

function paretoText({ choices, exact, tried }: ParetoSet): string {
  const every = Math.max(1, Math.ceil(choices.length / SHOWN_CHOICES));
  const shown = choices.filter((_, i) => i % every === 0 || i === choices.length - 1);
  const found = exact ? `all ${tried} choices were tried` : `the best of ${tried} choices`;
  return [
    table(
      [
        { title: 'taking turns', align: 'right' },
        { title: 'bytes', align: 'right' },
        { title: 'phases', align: 'right' },
        { title: 'by parts', align: 'right' },
        { title: '', flexible: true },
      ],
      shown.map((c) => [
        formatSize(c.bytes),
        String(c.bytes),
        String(c.phases),
        `${c.byParts.filter((p) => p).length} of ${c.byParts.length}`,
        c.byParts.map(Number).join(''),
      ]),
    ),
    `Memory against phases: ${shown.length} of ${choices.length} that no other beats; ${found}. --json has them in full, as --phases takes them.`,
  ].join('\n');
}
