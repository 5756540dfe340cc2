/**
 * Partitions for other ends, over the same spans: the least bottleneck for a number of chips, the fewest chips for a
 * throughput. Replicas count as chips; of equal answers the one that moves the fewest bytes is taken.
 */
import type { Partition, Partitioner, PartitionSpan } from '../passes/2-partition/partition.ts';
import type { ChipCosts } from './stages.ts';

export interface Placed {
  readonly partition: Partition;
  readonly replicas: readonly number[];
  /** Time between images: the greatest t_i / r_i. */
  readonly periodSeconds: number;
}

interface Way {
  readonly period: number;
  readonly chips: number;
  readonly bytes: number;
  readonly from: number;
  readonly fromChips: number;
  readonly span?: PartitionSpan;
  readonly replicas: number;
}

const START: Way = { period: 0, chips: 0, bytes: 0, from: -1, fromChips: 0, replicas: 0 };

/** The least period with at most so many chips; undefined where even one chip a span is more. */
export function leastPeriod(partitioner: Partitioner, costs: ChipCosts, chips: number): Placed | undefined {
  const n = partitioner.net.layers.length;
  // best[j][c]: the first j layers on at most c chips.
  const best: (Way | undefined)[][] = [new Array<Way | undefined>(chips + 1).fill(START)];
  for (let j = 1; j <= n; j++) {
    const row = new Array<Way | undefined>(chips + 1).fill(undefined);
    for (let i = j - 1; i >= 0; i--) {
      const span = partitioner.span(i, j - 1);
      if (!span) break;
      const { seconds } = costs.stage(span);
      for (let c = 1; c <= chips; c++)
        for (let r = 1; r <= c; r++) {
          const before = best[i][c - r];
          if (!before) continue;
          const period = Math.max(before.period, seconds / r);
          const bytes = before.bytes + span.trafficBytes;
          const now = row[c];
          if (!now || period < now.period || (period === now.period && bytes < now.bytes))
            row[c] = { period, chips: before.chips + r, bytes, from: i, fromChips: c - r, span, replicas: r };
        }
    }
    best.push(row);
  }
  const spans: PartitionSpan[] = [];
  const replicas: number[] = [];
  let way = best[n][chips];
  if (!way) return undefined;
  const { period } = way;
  while (way?.span) {
    spans.unshift(way.span);
    replicas.unshift(way.replicas);
    way = best[way.from][way.fromChips];
  }
  return placed(spans, replicas, period);
}

/** The fewest chips with which an image can leave every so many seconds. */
export function fewestChips(partitioner: Partitioner, costs: ChipCosts, periodSeconds: number): Placed {
  const n = partitioner.net.layers.length;
  const best: Way[] = [START];
  for (let j = 1; j <= n; j++) {
    let found: Way | undefined;
    for (let i = j - 1; i >= 0; i--) {
      const span = partitioner.span(i, j - 1);
      if (!span) break;
      const { seconds } = costs.stage(span);
      const replicas = Math.max(1, Math.ceil(seconds / periodSeconds - 1e-9));
      const chips = best[i].chips + replicas;
      const bytes = best[i].bytes + span.trafficBytes;
      if (!found || chips < found.chips || (chips === found.chips && bytes < found.bytes))
        found = {
          period: Math.max(best[i].period, seconds / replicas),
          chips,
          bytes,
          from: i,
          fromChips: 0,
          span,
          replicas,
        };
    }
    best.push(found!);
  }
  const spans: PartitionSpan[] = [];
  const replicas: number[] = [];
  for (let way = best[n]; way.span; way = best[way.from]) {
    spans.unshift(way.span);
    replicas.unshift(way.replicas);
  }
  return placed(spans, replicas, best[n].period);
}

function placed(spans: readonly PartitionSpan[], replicas: readonly number[], periodSeconds: number): Placed {
  const trafficBytes = spans.reduce((sum, s) => sum + s.trafficBytes, 0);
  return { partition: { spans, trafficBytes }, replicas, periodSeconds };
}
