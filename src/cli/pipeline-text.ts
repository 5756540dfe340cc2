/** What `tidemark pipeline` shows to people. */
import { formatSize } from '../report/format.ts';
import { formatSeconds } from '../report/pipeline-timeline.ts';
import type { Chip } from '../simulate/chip.ts';
import type { Figures, PipelinePlan } from '../simulate/plan-pipeline.ts';
import type { PipelineRunReport } from './pipeline-run.ts';
import { facts, table } from './terminal/table.ts';

export function pipelineText(
  model: string,
  plan: PipelinePlan,
  chip: Chip,
  real: PipelineRunReport | undefined,
  options: { readonly batch: number },
): string {
  const against = (f: Figures) => (plan.throughput / f.throughput).toFixed(2);
  const row = (name: string, f: Figures) => [
    name,
    `${Number(f.throughput.toPrecision(3))}`,
    formatSeconds(f.latencySeconds),
    `${Number((f.energyJoules * 1e3).toPrecision(3))} mJ`,
    formatSize(Math.round(f.trafficBytes)),
  ];
  const busy = plan.run.utilisation;
  return [
    facts([
      ['model', model],
      ['chips', `${plan.chips} of ${chip.name}, ${formatSize(chip.capacityBytes)} each`],
      ['mini-batch', `${options.batch} ${options.batch === 1 ? 'image' : 'images'}`],
      ['filters', `${formatSize(plan.filterBytes)}, read once and kept`],
    ]),
    '',
    table(
      [
        { title: '#', align: 'right' },
        { title: 'stage', flexible: true },
        { title: 'compute', align: 'right' },
        { title: 'array', align: 'right' },
        { title: 'transfer', align: 'right' },
        { title: 'replicas', align: 'right' },
        { title: 'time / replicas', align: 'right' },
        { title: 'busy', align: 'right' },
      ],
      plan.stages.map((s, i) => [
        String(i + 1),
        s.name,
        formatSeconds(s.computeSeconds),
        `${Math.round(100 * s.arrayUtilisation)} %`,
        formatSeconds(s.transferSeconds),
        String(s.replicas),
        formatSeconds(s.batchSeconds / s.replicas),
        `${Math.round((100 * busy[i].reduce((a, b) => a + b, 0)) / busy[i].length)} %`,
      ]),
    ),
    '',
    table(
      [
        { title: `on ${plan.chips} chips`, flexible: true },
        { title: 'images/s', align: 'right' },
        { title: 'latency', align: 'right' },
        { title: 'an image', align: 'right' },
        { title: 'off-chip', align: 'right' },
      ],
      [row('this pipeline', plan), row('layer by layer', plan.base), row('layer fusion', plan.layerFusion)],
    ),
    '',
    `${against(plan.base)} x the images a second of layer by layer, ${against(plan.layerFusion)} x those of layer fusion, on as many chips.`,
    `Simulated: ${plan.modes.map((m) => `${m.mode} ${Number(m.throughput.toPrecision(3))}/s in ${formatSeconds(m.latencySeconds)}`).join('; ')}.`,
    ...(real ? ['', realText(real)] : []),
  ].join('\n');
}

function realText(real: PipelineRunReport): string {
  const verdict = real.equal ? 'equal to a run in one thread' : 'NOT equal to a run in one thread';
  const images = `${real.images} ${real.images === 1 ? 'image' : 'images'}`;
  return [
    `Ran ${images} through ${real.workers} worker threads in ${formatSeconds(real.seconds)}: ${verdict}.`,
    `Each moved ${formatSize(Math.round(real.movedBytes))} between threads; arenas of ${formatSize(Math.min(...real.arenaBytes))} to ${formatSize(Math.max(...real.arenaBytes))}, at most ${real.mostInFlight} mini-batches in flight${real.retried > 0 ? `, ${real.retried} retried` : ''}.`,
  ].join('\n');
}
