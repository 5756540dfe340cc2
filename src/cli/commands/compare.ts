/** `tidemark compare`: every planning method side by side. */
import type { Command } from 'commander';
import { formatPercent, formatSize } from '../../report/format.ts';
import { boundedSearch, leaveEmptyHanded, STOPPED, searched, stopDocument } from '../bounded.ts';
import { compareMethods, METHODS, type MethodRow } from '../comparison.ts';
import type { StoppedBy } from '../interrupt.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withPlanningBounds } from '../options/limits.ts';
import {
  type ModelOptions,
  type PolicyOptions,
  withJson,
  withModel,
  withPolicies,
} from '../options/shared.ts';
import { answer } from '../output.ts';
import { startProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';

interface Options extends ModelOptions, PolicyOptions, PlanningBounds {
  readonly json?: boolean;
}

export function define(command: Command): void {
  withPolicies(withModel(command));
  withJson(withPlanningBounds(command));
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark compare zoo:mobilenetv1-0.25-96 --dtype int8\n  tidemark compare model.tflite --input streamed --json\n',
    )
    .action(run);
}

function run(model: string, options: Options): void {
  const { graph } = loadModel(model, options);
  const progress = startProgress();
  const work = boundedSearch(options, progress, () => 'the rows found so far are kept');
  const rows: MethodRow[] = [];
  const onRow = (row: MethodRow) => rows.push(row);
  searched(work, () => {
    compareMethods(graph, { ...options, progress, part: work.run, onRow });
  });
  if (rows.length === 0) leaveEmptyHanded();
  progress.done();
  const { accounting } = options;
  const leftOut = METHODS.filter((m) => !rows.some(({ method }) => method === m));
  const stop = work.stoppedBy ? { ...stopDocument(work), leftOut } : {};
  const left = work.stoppedBy && unfinished(rows, leftOut, work.stoppedBy);
  answer(options.json, { model, accounting, rows, ...stop }, () => text(model, rows, left));
}

const WHAT: Readonly<Record<string, string>> = {
  naive: 'no two tensors share',
  pingpong: 'two buffers used in turn',
  layerwise: 'layer by layer, tensors packed',
  overlap: 'layer by layer, over dead input',
  csdf: 'by rows, a ring a tensor',
  'csdf-reuse': 'by rows or whole, packed',
  restructure: 'tiles, within 8.6 % MACs',
  fit: 'streamed where it helps',
};

/** What the end of the search left unfinished. */
function unfinished(rows: readonly MethodRow[], leftOut: readonly string[], stoppedBy: StoppedBy): string {
  const partial = rows.flatMap((r) => (r.partial ? [`${r.method} has the best found by then`] : []));
  const missing = leftOut.length > 0 ? [`left out: ${leftOut.join(', ')}`] : [];
  return `${[`Not all: ${STOPPED[stoppedBy]}`, ...partial, ...missing].join('; ')}.`;
}

function text(model: string, rows: readonly MethodRow[], left: string | undefined): string {
  const cells = (r: MethodRow) => [
    r.method,
    formatSize(r.arenaBytes),
    r.optimal ? 'met' : formatSize(r.lowerBoundBytes),
    formatPercent(r.savingVsLayerwise),
    formatPercent(r.macOverhead),
    r.checked ? 'yes' : 'no',
    `${r.seconds.toFixed(2)} s`,
    WHAT[r.method] ?? '',
  ];
  return [
    model,
    '',
    table(
      [
        { title: 'method' },
        { title: 'arena', align: 'right' },
        { title: 'bound', align: 'right' },
        { title: 'saved', align: 'right' },
        { title: 'more MACs', align: 'right' },
        { title: 'proved' },
        { title: 'planned in', align: 'right' },
        { title: '', flexible: true },
      ],
      rows.map(cells),
    ),
    '',
    "Saved is against layer by layer; the bound holds for each row's own order of work.",
    ...(left ? [left] : []),
  ].join('\n');
}
