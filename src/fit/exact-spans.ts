/**
 * Spans whose rows are placed singly, fired in the order with the least live bytes where it can be found: a producer may
 * have to run on until what is live has come down again, which firing on demand does not know.
 */
import { exactOrder } from '../passes/3-schedule/exact.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import { scheduleSpan } from '../passes/3-schedule/stream.ts';
import { firstSchedulable, type SpanChoice } from './spans.ts';

/** Firings beyond which the search would not come to an end, and states after which it is given up. */
const MOST_FIRINGS = 1500;
const MOST_STATES = 2500;

/** The spans with better orders where there are any; the same array where there are none. */
export function withExactOrders(network: Network, spans: readonly SpanChoice[]): readonly SpanChoice[] {
  const better = spans.map((s) =>
    s.mode === 'singles' && s.last > s.first ? (exactSpan(network, s.first, s.last, s.peakBytes) ?? s) : s,
  );
  return better.some((s, i) => s !== spans[i]) ? better : spans;
}

/** The whole network as one span in its best order, where that is known and needs less than the limit. */
export function exactWhole(network: Network, limitBytes: number): SpanChoice | undefined {
  const first = firstSchedulable(network);
  const last = network.steps.length - 1;
  return last > first ? exactSpan(network, first, last, limitBytes) : undefined;
}

function exactSpan(
  network: Network,
  first: number,
  last: number,
  limitBytes: number,
): SpanChoice | undefined {
  let firings = 0;
  for (let s = first; s <= last; s++) firings += network.table(s, 'rows').count;
  if (firings > MOST_FIRINGS) return undefined;
  const found = exactOrder(network, { first, last, mode: 'rows', maxStates: MOST_STATES });
  if (!found || found.peakBytes >= limitBytes) return undefined;
  return scheduleSpan(
    network,
    { first, last, mode: 'singles' },
    { order: found.order, record: true, limitBytes: limitBytes - 1 },
  );
}
