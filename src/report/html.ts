/**
 * The report that `fit -o` writes: one HTML file that needs nothing else, light or dark, read with the keyboard
 * as well as with a mouse. A pure function of data, so that the same data always gives the same file.
 */
import { addressMap } from './address-map.ts';
import { formatCount, formatPercent, formatSize } from './format.ts';
import { REPORT_SCRIPT, REPORT_STYLE } from './html-assets.ts';
import { memoryCurve } from './memory-curve.ts';
import { colourOf, escapeText } from './svg.ts';
import type { Timeline } from './timeline.ts';

export interface ReportStep {
  readonly name: string;
  readonly op: string;
  readonly liveBytes: number;
}

export interface ReportSpan {
  readonly first: string;
  readonly last: string;
  readonly mode: string;
  readonly arenaBytes: number;
}

export interface ReportData {
  readonly model: string;
  readonly version: string;
  readonly dtype?: string;
  /** What was asked for; undefined is the smallest possible. */
  readonly budgetBytes?: number;
  readonly fits: boolean;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  readonly checked: boolean;
  readonly macs: number;
  readonly macOverhead: number;
  readonly weightBytes: number;
  readonly policy: { readonly input: string; readonly output: string };
  readonly accounting: string;
  /** The model layer by layer, in the file's order. */
  readonly before: { readonly peakBytes: number; readonly steps: readonly ReportStep[] };
  readonly spans: readonly ReportSpan[];
  readonly timeline: Timeline;
}

export function htmlReport(data: ReportData): string {
  const title = `${data.model} in ${formatSize(data.arenaBytes)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)} · Tidemark</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
${heading(data)}
${cards(data)}
<section aria-labelledby="over-time"><h2 id="over-time">Memory over time</h2>
<div class="picture">${curve(data)}</div></section>
<section aria-labelledby="map"><h2 id="map">Where every byte lives</h2>
<p class="hint">Point at a shape, or step through them with the Tab key, to see which tensor it is.</p>
<div class="picture">${addressMap(data.timeline, { title: 'Addresses over time', budgetBytes: mapBudget(data) })}</div>
<p id="detail" class="detail" role="status">&nbsp;</p></section>
${spansTable(data)}
${buffersTable(data)}
${stepsTable(data)}
</main>
<footer>Written by Tidemark ${escapeText(data.version)}. Sizes are in units of 1024 bytes.</footer>
<script>${REPORT_SCRIPT}</script>
</body>
</html>
`;
}

/** A budget far above the arena would only flatten the picture. */
function mapBudget({ budgetBytes, arenaBytes }: ReportData): number | undefined {
  return budgetBytes !== undefined && budgetBytes <= arenaBytes * 1.06 ? budgetBytes : undefined;
}

function heading(data: ReportData): string {
  const { arenaBytes, budgetBytes, before } = data;
  const goal =
    budgetBytes === undefined ? ', the smallest found' : ` for a budget of ${formatSize(budgetBytes)}`;
  const gain = 1 - arenaBytes / Math.max(1, before.peakBytes);
  const saved = gain > 0 ? `; ${formatPercent(gain)} less than layer by layer` : '';
  const outcome = data.fits ? '' : ' <strong class="no">It does not fit.</strong>';
  return `<header><h1>${escapeText(data.model)}</h1><p class="lead">${formatSize(arenaBytes)} of arena${goal}${saved}.${outcome}</p></header>`;
}

function cards(data: ReportData): string {
  const bound = data.optimal
    ? 'met: no smaller arena exists for this schedule'
    : `${formatSize(data.lowerBoundBytes)} is the lower bound for this schedule`;
  const entries: readonly (readonly [string, string, string])[] = [
    ['Arena', formatSize(data.arenaBytes), `${data.arenaBytes} bytes; ${bound}`],
    [
      'Layer by layer',
      formatSize(data.before.peakBytes),
      `${data.before.peakBytes} bytes are live at its worst moment`,
    ],
    [
      'Multiply-accumulates',
      formatCount(data.macs),
      data.macOverhead === 0 ? 'none computed twice' : `${formatPercent(data.macOverhead)} computed again`,
    ],
    ['Working memory', formatSize(data.scratchBytes), 'of kernels; lies in the arena and is counted'],
    ['Weights', formatSize(data.weightBytes), 'outside the arena'],
    [
      'Checker',
      data.checked ? 'proved' : 'not proved',
      data.checked
        ? `${formatCount(data.timeline.firings)} firings replayed byte by byte`
        : 'do not use this plan',
    ],
    [
      'Input, output',
      `${data.policy.input}, ${data.policy.output}`,
      data.accounting === 'all' ? 'counted where they lie in the arena' : 'not counted (ops-only)',
    ],
  ];
  const cells = entries.map(
    ([name, value, note]) =>
      `<div class="card"><dt>${name}</dt><dd>${escapeText(value)}</dd><dd class="note">${escapeText(note)}</dd></div>`,
  );
  return `<dl class="cards">${cells.join('')}</dl>`;
}

function curve(data: ReportData): string {
  return memoryCurve({
    title: 'Bytes live over time, layer by layer and planned',
    before: {
      name: 'layer by layer',
      bytes: data.before.steps.map((s) => s.liveBytes),
      labels: data.before.steps.map((s) => s.name),
    },
    after: { name: 'this plan', bytes: data.timeline.liveBytes, labels: data.timeline.names },
    budgetBytes: data.budgetBytes,
  });
}

function spansTable({ spans }: ReportData): string {
  if (spans.length === 0) return '';
  const rows = spans.map((s, i) => [
    String(i + 1),
    s.first,
    s.last,
    MODES[s.mode] ?? s.mode,
    formatSize(s.arenaBytes),
  ]);
  return table('spans', 'How it runs', ['#', 'first operator', 'last operator', 'mode', '>live'], rows);
}

const MODES: Readonly<Record<string, string>> = {
  whole: 'whole tensors',
  rows: 'streamed by rows',
  singles: 'streamed by rows, placed singly',
  pixels: 'streamed by pixels',
};

function buffersTable({ timeline }: ReportData): string {
  const rows = timeline.lives.map((life, i) => [
    markup(
      `<span class="swatch" style="background:${life.kind === 'scratch' ? 'var(--soft)' : colourOf(i)}"></span>${escapeText(life.name)}`,
    ),
    life.kind === 'ring' ? 'ring' : life.kind === 'scratch' ? 'working memory' : 'whole',
    String(life.offset),
    String(life.bytes),
    life.tensorBytes === undefined ? '' : String(life.tensorBytes),
    life.shape?.join(' × ') ?? '',
  ]);
  return table(
    'buffers',
    'Buffers',
    ['tensor', 'kind', '>offset', '>bytes', '>whole tensor', 'shape'],
    rows,
    true,
  );
}

function stepsTable({ before }: ReportData): string {
  const peak = Math.max(1, before.peakBytes);
  const rows = before.steps.map((s, i) => [
    String(i),
    s.name,
    s.op,
    formatSize(s.liveBytes),
    markup(`<span class="bar" style="width:${((s.liveBytes / peak) * 100).toFixed(1)}%"></span>`),
  ]);
  return table(
    'steps',
    'Layer by layer, step by step',
    ['#', 'operator', 'kind', '>live', 'share of the peak'],
    rows,
    true,
  );
}

/** A cell is text, or markup that has been escaped already. */
type Cell = string | { readonly markup: string };

const markup = (text: string): Cell => ({ markup: text });

/** A heading that starts with `>` names a column of numbers. */
function table(
  id: string,
  title: string,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  folded = false,
): string {
  const numeric = head.map((h) => h.startsWith('>'));
  const th = head
    .map((h, i) => `<th scope="col"${numeric[i] ? ' class="n"' : ''}>${h.replace('>', '')}</th>`)
    .join('');
  const body = rows
    .map(
      (row) =>
        `<tr>${row.map((c, i) => `<td${numeric[i] ? ' class="n"' : ''}>${typeof c === 'string' ? escapeText(c) : c.markup}</td>`).join('')}</tr>`,
    )
    .join('');
  const content = `<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}"><table><thead><tr>${th}</tr></thead><tbody>${body}</tbody></table></div>`;
  if (!folded) return `<section><h2 id="${id}">${title}</h2>${content}</section>`;
  return `<section><details><summary><h2 id="${id}">${title}</h2> <span class="hint">${rows.length} rows</span></summary>${content}</details></section>`;
}
