/** `tidemark compare`: every planning method side by side. */
import type { Command } from 'commander';
import { formatPercent, formatSize } from '../../report/format.ts';
import { type Comparison, compareMethods, type MethodRow } from '../comparison.ts';
import { loadModel } from '../model.ts';
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

interface Options extends ModelOptions, PolicyOptions {
  readonly json?: boolean;
}

export function define(command: Command): void {
  withPolicies(withModel(command));
  withJson(command);
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
  const comparison = compareMethods(graph, options, progress);
  progress.done();
  answer(options.json, { model, ...comparison }, () => text(model, comparison));
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

function text(model: string, { rows }: Comparison): string {
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
  ].join('\n');
}
