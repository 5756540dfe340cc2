/** The rows of `compare`: each method planned, checked and timed on one graph. */
import type { Planned } from '../compile.ts';
import type { Graph } from '../graph/graph.ts';
import { checkPlan } from '../plan/check.ts';
import { EXTERNAL, type Plan } from '../plan/plan.ts';
import { profileOf } from '../report/profile.ts';
import type { PolicyOptions } from './options/shared.ts';
import { planModel } from './planning.ts';
import type { Progress } from './terminal/progress.ts';

export interface MethodRow {
  readonly method: string;
  readonly arenaBytes: number;
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  readonly macs: number;
  readonly macOverhead: number;
  readonly savingVsPingpong: number;
  readonly savingVsLayerwise: number;
  readonly checked: boolean;
  readonly seconds: number;
}

export interface Comparison {
  readonly accounting: string;
  readonly rows: readonly MethodRow[];
}

type Figures = Omit<MethodRow, 'method' | 'seconds' | 'savingVsPingpong' | 'savingVsLayerwise'>;

export function compareMethods(graph: Graph, options: PolicyOptions, progress: Progress): Comparison {
  const request = {
    policy: { input: options.input, output: options.output },
    accounting: options.accounting,
    progress,
  };
  const profile = profileOf(graph, { opsOnly: options.accounting === 'ops-only' });
  const layerwise = timed(() => planModel(graph, { ...request, method: 'layerwise' }));
  const naive = timed(() => naiveFigures(graph, layerwise.value));
  const fit = timed(() => planModel(graph, { ...request, method: 'fit' }));
  // A rule of thumb, not a plan: nothing of it can be checked, and on a graph with branches it need not exist.
  const pingpong: Figures = {
    arenaBytes: profile.pingpongBytes,
    lowerBoundBytes: profile.pingpongBytes,
    optimal: false,
    macs: profile.macs,
    macOverhead: 0,
    checked: false,
  };
  const rows: readonly (readonly [string, Figures, number])[] = [
    ['naive', naive.value, naive.seconds],
    ['pingpong', pingpong, 0],
    ['layerwise', figures(layerwise.value), layerwise.seconds],
    ['fit', figures(fit.value), fit.seconds],
  ];
  return {
    accounting: options.accounting,
    rows: rows.map(([method, row, seconds]) => ({
      method,
      ...row,
      savingVsPingpong: saving(row.arenaBytes, profile.pingpongBytes),
      savingVsLayerwise: saving(row.arenaBytes, layerwise.value.arenaBytes),
      seconds,
    })),
  };
}

const saving = (bytes: number, than: number) => (than > 0 ? 1 - bytes / than : 0);

function figures(p: Planned): Figures {
  const { arenaBytes, lowerBoundBytes, optimal, macs, macOverhead, checked } = p;
  return { arenaBytes, lowerBoundBytes, optimal, macs, macOverhead, checked };
}

/** The layer-by-layer plan with every buffer at an address of its own. */
function naiveFigures(graph: Graph, layerwise: Planned): Figures {
  let end = 0;
  const buffers = layerwise.plan.buffers.map((b) => {
    if (b.bank === EXTERNAL) return b;
    const offset = Math.ceil(end / 4) * 4;
    end = offset + b.bytes;
    return { ...b, offset };
  });
  const plan: Plan = { ...layerwise.plan, buffers, arenaBytes: end };
  const { macs, macOverhead } = layerwise;
  return {
    arenaBytes: end,
    lowerBoundBytes: end,
    optimal: false,
    macs,
    macOverhead,
    checked: checkPlan(graph, plan).ok,
  };
}

function timed<T>(work: () => T): { value: T; seconds: number } {
  const started = performance.now();
  const value = work();
  return { value, seconds: (performance.now() - started) / 1000 };
}
