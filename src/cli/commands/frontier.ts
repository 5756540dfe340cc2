/** `tidemark frontier`: how far memory comes down for how much that is computed twice. */
import type { Command } from 'commander';
import { type FrontierPoint, frontierOf } from '../../fit/frontier.ts';
import { formatCount, formatPercent, formatSize } from '../../report/format.ts';
import { boundedSearch, leaveEmptyHanded, STOPPED, searched, stopDocument } from '../bounded.ts';
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
import { parsePercent } from '../options/values.ts';
import { answer } from '../output.ts';
import { policyOf } from '../planning.ts';
import { startProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';

interface Options extends ModelOptions, PolicyOptions, PlanningBounds {
  readonly maxOverhead: number;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withPolicies(withModel(command)).option(
    '--max-overhead <percent>',
    'multiply-accumulates that may be computed again',
    (t) => parsePercent(t, '--max-overhead'),
    1,
  );
  withJson(withPlanningBounds(command));
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark frontier zoo:mobilenetv2-0.35-144 --dtype int8 --accounting ops-only\n  tidemark frontier model.tflite --input external --max-overhead 30 --json\n',
    )
    .action(run);
}

function run(model: string, options: Options): void {
  const { graph } = loadModel(model, options);
  const progress = startProgress();
  let points: readonly FrontierPoint[] = [];
  const work = boundedSearch(options, progress, () => 'the points found so far are kept');
  const request = {
    policy: policyOf(options),
    maxOverhead: options.maxOverhead,
    part: work.run,
    onProgress: (done: number) =>
      progress.step(`planning ${Math.round(done * 100)} %, ${points.length} found`),
    onPoint: (found: readonly FrontierPoint[]) => {
      points = found;
    },
  };
  searched(work, () => {
    frontierOf(graph, request);
  });
  if (points.length === 0) leaveEmptyHanded();
  progress.done();
  const document = {
    model,
    accounting: options.accounting,
    // The planner hands out no plan that the checker refuses.
    points: points.map(({ arenaBytes, macs, macOverhead, lowerBoundBytes, firings, method, plan }) => ({
      arenaBytes,
      macs,
      macOverhead,
      checked: true,
      lowerBoundBytes,
      firings,
      method,
      ...(plan.tiles ? { tiles: plan.tiles } : {}),
    })),
    ...stopDocument(work),
  };
  answer(options.json, document, () => text(model, points, work.stoppedBy));
}

const WIDEST_BAR = 32;

/** What a plan's tiling does, in a few words. */
function recomputed(tiles: FrontierPoint['plan']['tiles']): string {
  if (!tiles) return '';
  const strips = tiles.regions.flatMap((r) => (r.columns.length > 2 ? [r.columns.length - 1] : []));
  const groups = tiles.regions.filter((r) => r.channels).length;
  const turned = tiles.turned?.length ?? 0;
  return [
    strips.length > 0 ? `${strips.join(' + ')} strips` : '',
    turned > 0 ? `${turned} window${turned === 1 ? '' : 's'} turned` : '',
    groups > 0 ? `${groups} in channel groups` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function text(model: string, points: readonly FrontierPoint[], stoppedBy: StoppedBy | undefined): string {
  const most = Math.max(...points.map((p) => p.arenaBytes));
  const cells = (p: FrontierPoint) => [
    formatSize(p.arenaBytes),
    formatPercent(p.macOverhead),
    formatCount(p.firings),
    recomputed(p.plan.tiles),
    '█'.repeat(Math.max(1, Math.round((p.arenaBytes / most) * WIDEST_BAR))),
  ];
  return [
    model,
    '',
    table(
      [
        { title: 'arena', align: 'right' },
        { title: 'more MACs', align: 'right' },
        { title: 'firings', align: 'right' },
        { title: 'computed twice' },
        { title: '' },
      ],
      points.map(cells),
    ),
    '',
    'Every line is a plan that the checker proved; no plan found takes less of both.',
    ...(stoppedBy ? [`Not all: ${STOPPED[stoppedBy]}.`] : []),
  ].join('\n');
}
