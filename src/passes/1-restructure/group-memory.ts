/** What an inverted bottleneck needs when its middle channels are computed in groups. */
import { elementBytes, elementCount, type TensorId, tensorBytes } from '../../graph/graph.ts';
import type { Candidate } from './candidates.ts';
import { channelChain } from './channel-groups.ts';
import type { Cutting } from './cutting.ts';
import type { Sequence } from './sequence.ts';
import { evenCuts } from './tiling.ts';

/** Numbers of groups that are tried. */
const GROUPS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/** The fewest groups that meet a limit; undefined where none do or the region is no inverted bottleneck. */
export function groupsWithin(sequence: Sequence, region: Candidate, limitBytes: number): Cutting | undefined {
  const { graph } = sequence;
  const chain = channelChain(
    graph,
    region.operators.map(({ op }) => op.id),
  );
  if (!chain) return undefined;
  const [, height, width] = graph.tensors[region.output].shape;
  for (const groups of GROUPS) {
    if (groups > chain.middle) return undefined;
    const channels = evenCuts(chain.middle, groups);
    const peakBytes = peakOf(sequence, region, channels, chain.middle);
    if (peakBytes > limitBytes) continue;
    return {
      region,
      rows: [0, height],
      columns: [0, width],
      apart: false,
      channels,
      peakBytes,
      extraMacs: 0,
    };
  }
  return undefined;
}

/** The accumulator, the results of a group while they are added to it, and what the group itself has. */
function peakOf(sequence: Sequence, region: Candidate, cuts: readonly number[], middle: number): number {
  const { graph, roots, rootOf } = sequence;
  const { throughBytes, dyingBytes, outputBytes, operators } = region;
  const y = graph.tensors[region.output];
  // Sums of integers have 32 bits; those of floats are the output, where it owns its memory.
  const exact = y.quant !== undefined;
  const sums = exact ? 4 * elementCount(y.shape) : elementCount(y.shape) * elementBytes(y);
  const apart = exact || roots[rootOf[region.output]].tensor !== region.output;
  const inner = operators.slice(0, -1).map(({ op }) => op.outputs[0]);
  const groups = cuts.length - 1;
  let peak = 0;
  for (let g = 0; g < groups; g++) {
    const share = (t: TensorId) => (tensorBytes(graph.tensors[t]) * (cuts[g + 1] - cuts[g])) / middle;
    const base = throughBytes + (g > 0 ? sums : 0);
    const input = dyingBytes;
    peak = Math.max(peak, base + input + share(inner[0]));
    const after = g === groups - 1 ? 0 : dyingBytes;
    inner.forEach((t, i) => {
      const next = i + 1 < inner.length ? share(inner[i + 1]) : sums;
      peak = Math.max(peak, base + after + share(t) + next);
    });
    if (g > 0)
      peak = Math.max(peak, base + after + sums + (apart && !exact && g === groups - 1 ? outputBytes : 0));
  }
  return Math.max(peak, exact ? throughBytes + sums + (outputBytes > 0 ? 0 : tensorBytes(y)) : 0);
}
