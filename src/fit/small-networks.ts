/**
 * Small networks, whose firing orders can be searched: the whole network is one span with every row placed by itself. All choices
 * of concat parts that are copied are tried; orders with the least live bytes are laid out, then others below what is reached, since of
 * two orders that keep as much alive one may leave gaps where the other does not.
 */
import type { Graph } from '../graph/graph.ts';
import type { CopyChoice } from '../graph/storage.ts';
import { exactOrder, orderWithin } from '../passes/3-schedule/exact.ts';
import { type Network, networkOf } from '../passes/3-schedule/steps.ts';
import { scheduleSpan } from '../passes/3-schedule/stream.ts';
import { copiedConcats } from '../passes/3-schedule/variants.ts';
import type { Policy } from '../plan/plan.ts';
import { type Layout, layOut, refined } from './assemble.ts';
import { firstSchedulable } from './spans.ts';

export interface SmallLayout {
  readonly network: Network;
  readonly layout: Layout;
}

/** Firings of a network beyond which its orders are not searched, and states after which a search is given up. */
const MOST_FIRINGS = 200;
const MOST_STATES = 3000;
/** Operators beyond which a network is not even looked at. */
const MOST_OPERATORS = 50;
/** Parts of concats of which every choice is tried. */
const MOST_PARTS = 4;
/** Orders drawn for one network, all choices of copies together, and states that all searches may take. */
const MOST_ORDERS = 16;
const ALL_STATES = 12_000;
/** Quick addresses worth all effort: those so near to what is reached, and how often at most. */
const WORTH_REFINING = 1.1;
const MOST_REFINED = 5;

/** The best layout below `reachedBytes`, if there is one. */
export function smallestOf(graph: Graph, policy: Policy, reachedBytes: number): SmallLayout | undefined {
  const choices = copyChoices(graph);
  if (!choices) return undefined;
  let best: SmallLayout | undefined;
  let reached = reachedBytes;
  const open: { network: Network; peakBytes: number }[] = [];
  let states = ALL_STATES;
  let refinements = MOST_REFINED;
  const offer = (network: Network, order: ArrayLike<number>) => {
    const quick = laidOut(network, order);
    if (!quick || quick.lowerBoundBytes >= reached) return;
    const worth = quick.arenaBytes <= reached * WORTH_REFINING && refinements-- > 0;
    const layout = worth ? refined(network, quick) : quick;
    if (layout.arenaBytes >= reached) return;
    reached = layout.arenaBytes;
    best = { network, layout };
  };
  for (const copies of choices) {
    const network = networkOf(graph, policy, copies);
    const span = wholeOf(network);
    if (!span || firingsOf(network) > MOST_FIRINGS || states <= 0) continue;
    const found = exactOrder(network, { ...span, maxStates: Math.min(states, MOST_STATES) });
    states -= found?.states ?? MOST_STATES;
    if (!found || found.peakBytes >= reached) continue;
    open.push({ network, peakBytes: found.peakBytes });
    offer(network, found.order);
  }
  open.sort((a, b) => a.peakBytes - b.peakBytes);
  for (let k = 0, left = MOST_ORDERS; left > 0; k++) {
    const worth = open.filter((o) => o.peakBytes < reached);
    if (worth.length === 0) break;
    for (const { network, peakBytes } of worth) {
      if (left-- <= 0 || states <= 0) return best;
      // Right at the least, where packings are rare, and with room to spare by turns.
      const limitBytes = k % 2 === 0 ? peakBytes : Math.max(peakBytes, reached - 1);
      const span = { ...wholeOf(network)!, maxStates: Math.min(states, MOST_STATES) };
      const order = orderWithin(network, span, limitBytes, k);
      states -= order?.length ?? MOST_STATES;
      if (order && peakBytes < reached) offer(network, order);
    }
  }
  return best;
}

function wholeOf(network: Network) {
  const first = firstSchedulable(network);
  const last = network.steps.length - 1;
  return last >= first ? ({ first, last, mode: 'rows' } as const) : undefined;
}

function firingsOf(network: Network): number {
  return network.steps.reduce((n, _, s) => n + network.table(s, 'rows').count, 0);
}

/** Every choice of parts that are copied; none and all where there are too many; undefined where the network is no small one. */
function copyChoices(graph: Graph): CopyChoice[][] | undefined {
  if (graph.operators.length === 0 || graph.operators.length > MOST_OPERATORS) return undefined;
  const parts = copiedConcats(graph);
  if (parts.length === 0) return [[]];
  if (parts.length > MOST_PARTS) return [[], parts];
  return Array.from({ length: 1 << parts.length }, (_, mask) => parts.filter((_, i) => (mask >> i) & 1));
}

/** Every row placed singly, at addresses that are found quickly. */
function laidOut(network: Network, order: ArrayLike<number>): Layout | undefined {
  const span = { ...wholeOf(network)!, mode: 'singles' } as const;
  const scheduled = scheduleSpan(network, span, { order, record: true });
  return scheduled && layOut(network, [scheduled], { effort: 'quick' });
}
