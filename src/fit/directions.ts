/**
 * Which way single operators fire. An output that chases its input from the first run to the last ends below it,
 * from the last to the first above it; two in a row that chase the same way pull the addresses apart, two that
 * chase opposite ways do not.
 */
import { definitionOf } from '../ops/registry.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import { type Layout, layOut } from './assemble.ts';
import type { SpanChoice } from './spans.ts';

/** Layouts tried for one choice of spans. */
const MOST_LAYOUTS = 24;
/** Firings that all tries together may lay out. */
const MOST_FIRINGS = 600_000;

/** The layout with some of the single operators turned round, where that takes less. */
export function turnRound(network: Network, layout: Layout, floorBytes: number): Layout {
  // Each try lays everything out again: long sequences get few of them.
  const most = Math.min(
    MOST_LAYOUTS,
    Math.floor(MOST_FIRINGS / Math.max(1, layout.timeline.sequence.length)),
  );
  let best = layout;
  let tries = 0;
  const turnedRound = (which: (span: number) => boolean): boolean => {
    tries++;
    const spans = best.spans.map((s, k) => (which(k) ? turned(s) : s));
    const made = layOut(network, spans, { effort: 'quick' });
    if (made.arenaBytes >= best.arenaBytes) return false;
    best = made;
    return true;
  };
  // In a chain every second one, at once.
  const all = layout.spans.flatMap((s, i) => (canTurn(network, s) ? [i] : []));
  for (const parity of all.length > 2 ? [0, 1] : []) {
    if (best.arenaBytes <= floorBytes || tries >= most) return best;
    const every = new Set(all.filter((_, k) => k % 2 === parity));
    if (turnedRound((k) => every.has(k))) break;
  }
  for (let improved = true; improved; ) {
    improved = false;
    const turnable = best.spans.flatMap((s, i) => (canTurn(network, s) ? [i] : []));
    for (const i of turnable) {
      if (best.arenaBytes <= floorBytes || tries >= most) return best;
      if (turnedRound((k) => k === i)) improved = true;
    }
  }
  return best;
}

function turned({ sequence, reverse, ...span }: SpanChoice): SpanChoice {
  return { ...span, reverse: !reverse };
}

/** A single operator that fires run by run, and does not fold. */
function canTurn(network: Network, { first, last, mode }: SpanChoice): boolean {
  const step = network.steps[first];
  if (first !== last || mode === 'whole' || step.kind !== 'operator') return false;
  const { shape, count } = network.table(first, mode);
  return (
    !shape.fold && count > 1 && definitionOf(network.graph.operators[step.index].kind).access === 'pixel'
  );
}
