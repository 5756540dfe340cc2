/**
 * Techniques under which a plan computes some of the network twice, or in other pieces than the model has: strips of
 * columns, turned windows, groups of channels, tiles. On small networks a search for the least memory seldom wants any, so they
 * are put in wherever they can be.
 */
import { TidemarkError } from '../../src/errors.ts';
import { layOut, writePlan } from '../../src/fit/assemble.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { type RegionOption, RegionOptions } from '../../src/fit/region-options.ts';
import { chooseSpans, type SpanChoice, wholeSpans } from '../../src/fit/spans.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { applyTiles } from '../../src/passes/1-restructure/apply.ts';
import { type RestructureOptions, restructureGraph } from '../../src/passes/1-restructure/restructure.ts';
import type { Tiling } from '../../src/passes/1-restructure/tiling.ts';
import { networkOf, type Network as Steps } from '../../src/passes/3-schedule/steps.ts';
import { graphMacs } from '../../src/plan/metrics.ts';
import type { Policy } from '../../src/plan/plan.ts';
import type { Network } from './networks.ts';
import { policyInTurn, single, slowOn, type Technique, type Way, WHOLE } from './way.ts';

/** Regions that are cut, operators of each at most, and strips: compilers see all of it written out. */
const REGIONS = 3;
const LONGEST_REGION = 6;
const STRIPS = 3;

/** A region surrounded by nothing: all that can be done with it is offered. */
const ENDS = { beforeBytes: 0, isOutside: () => false, streamedIn: false };

type Kind = (option: RegionOption) => boolean;

const strips: Kind = ({ tiles }) =>
  tiles !== undefined && tiles.channels === undefined && tiles.columns.length - 1 <= STRIPS;
const turned: Kind = (option) => option.tiles === undefined && option.turned.length > 0;
const turnedStrips: Kind = (option) => strips(option) && option.turned.length > 0;
const channelGroups: Kind = ({ tiles }) => tiles?.channels !== undefined;

/** The first regions of the network that can be cut so, each as long as can be, with as many windows turned. */
function tilingOf(graph: Graph, kind: Kind): Tiling | undefined {
  const options = new RegionOptions(graph);
  const macs = graphMacs(graph);
  const count = graph.operators.length;
  let tiling: Tiling = { regions: [] };
  let left = REGIONS;
  for (let first = 0; first < count && left > 0; ) {
    let end = first + 1;
    for (let e = Math.min(count, first + LONGEST_REGION); e > first; e--) {
      const ids = graph.operators.slice(first, e).map((op) => op.id);
      const found = options.of(ids, ENDS, macs).filter(kind).reverse();
      const made = found.map((option) => withRegion(tiling, option)).find((t) => fits(graph, t));
      if (!made) continue;
      tiling = made;
      end = e;
      left--;
      break;
    }
    first = end;
  }
  return left < REGIONS ? tiling : undefined;
}

function withRegion(tiling: Tiling, { tiles, turned: more }: RegionOption): Tiling {
  const all = [...(tiling.turned ?? []), ...more].sort((a, b) => a - b);
  const regions = tiles ? [...tiling.regions, tiles] : tiling.regions;
  return { ...(all.length > 0 ? { turned: all } : {}), regions };
}

function fits(graph: Graph, tiling: Tiling): boolean {
  try {
    applyTiles(graph, tiling);
    return true;
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'plan-invalid') return false;
    throw error;
  }
}

/** Effort of choosing spans, in steps of the simulation: a second at most. */
const WORK = 2_000_000;

const streamed = (network: Steps) =>
  chooseSpans(network, {
    modes: ['rows', 'pixels', 'singles'],
    objective: 'memory',
    work: { left: WORK },
  })!;

/** A plan that carries a tiling. */
function tiled(
  graph: Graph,
  tiling: Tiling,
  policy: Policy,
  spansOf: (network: Steps) => readonly SpanChoice[],
): Way {
  const network = networkOf(applyTiles(graph, tiling), policy);
  const layout = layOut(network, spansOf(network), { effort: 'quick' });
  return single(graph, writePlan(graph, network, layout, tiling));
}

function cut(name: string, kind: Kind): Technique {
  return {
    name,
    skips: (network) =>
      slowOn('densenet121')(network) ??
      (tilingOf(network.graph, kind) ? undefined : 'no region of the network can be cut so'),
    way: (network) => tiled(network.graph, tilingOf(network.graph, kind)!, policyInTurn(network), streamed),
  };
}

/** The tiled graph, as a file of its own would be: its plans know of no tiles. */
const restructured = (options: RestructureOptions, method?: 'layerwise') => (network: Network) => {
  const { graph } = restructureGraph(network.graph, options);
  return single(graph, fitGraph(graph, { policy: method ? WHOLE : policyInTurn(network), method }).plan);
};

const slowTiles = slowOn('tinyyolov2', 'tinyyolov3', 'dncnn-17', 'densenet121');
const slowGrid = slowOn('espcn', 'squeezenet1.1');
const slowChannels = slowOn('mobilenetv2-1.0-224', 'mobilenetv2-0.35-144', 'squeezenet1.1', 'unet');
const slowFit = slowOn(
  'resnet34',
  'resnet50',
  'densenet121',
  'inceptionv3',
  'googlenet',
  'resnet101',
  'resnet152',
);

export const recomputing: readonly Technique[] = [
  cut('windows turned', turned),
  cut('strips', strips),
  cut('strips, windows turned', turnedStrips),
  {
    name: 'fit, twice the work allowed',
    skips: slowFit,
    way: (network) =>
      single(network.graph, fitGraph(network.graph, { policy: policyInTurn(network), maxOverhead: 1 }).plan),
  },
  cut('channel groups', channelGroups),
  {
    name: 'restructure, then layer by layer',
    skips: slowTiles,
    way: restructured({ policy: WHOLE }, 'layerwise'),
  },
  {
    name: 'restructure, as tiles of a plan',
    skips: slowTiles,
    way: (network) => {
      const policy = policyInTurn(network);
      const { tiling } = restructureGraph(network.graph, { policy, maxOverhead: 1 });
      return tiled(network.graph, tiling, policy, wholeSpans);
    },
  },
  {
    name: 'restructure in a grid, joined, then fit',
    skips: (network) => slowGrid(network) ?? slowTiles(network) ?? slowFit(network),
    way: restructured({ grid: [2, 2], regions: 'one', bands: false, maxOverhead: 1 }),
  },
  {
    name: 'restructure by channels, then fit',
    skips: (network) =>
      network.dtype === 'f32'
        ? 'sums of floats are added in another order'
        : (slowChannels(network) ?? slowTiles(network) ?? slowFit(network)),
    way: restructured({ channelGroups: true, regions: 'one' }),
  },
];
